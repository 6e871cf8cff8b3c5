import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import type { PoolConfig, SimConfig } from "../../../src/sim/config.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { drawn } from "../../drawn.ts";
import { testConfig, testEngine, testNode, testRequests } from "../build.ts";

const kvBytes = 4e6;

interface Setup {
  readonly requests: Parameters<typeof testRequests>[0];
  readonly servedBy: readonly number[];
  /** Models that device memory has room for. */
  readonly room: number;
  readonly variants?: number;
  readonly keep?: readonly number[];
  readonly clients?: number;
  readonly others?: readonly PoolConfig[];
  readonly overrides?: Partial<SimConfig>;
  readonly loadOverheadNs?: number;
}

const quick = testEngine({ defaults: { ...testEngine().defaults, maxBatchTokens: 128, maxSequences: 4 } });

/** Models of one shape on one device that has room for some of them. */
function inTurn(setup: Setup): SimConfig {
  const { requests, servedBy, room, variants = 3, keep = [], clients, others = [], overrides = {} } = setup;
  const workload = testRequests(requests);
  const config = testConfig({
    engine: quick,
    replicas: variants,
    kvBytes,
    firstDevice: 0,
    workload:
      clients === undefined
        ? { kind: "open", requests: workload }
        : { kind: "closed", requests: workload, concurrency: clients },
    ...(others.length > 0 ? { otherPools: others } : {}),
    ...overrides,
  });
  const { deviceBytes } = new Simulation({ ...alone(config) }).pools[0]!.memory;
  return {
    ...config,
    modelCache: {
      deviceBytes: room * deviceBytes,
      loadOverheadNs: setup.loadOverheadNs ?? 0,
      keep,
      servedBy: Uint16Array.from(servedBy),
    },
  };
}

/** The first model with the device for itself. */
const alone = ({ otherPools: _o, modelCache: _m, ...config }: SimConfig): SimConfig => ({ ...config, replicas: 1 });

function run(config: SimConfig) {
  const simulation = new Simulation(config);
  while (!simulation.advance(1000));
  return simulation.result();
}

const timesOf = ({ requests }: ReturnType<typeof run>) =>
  Array.from({ length: requests.count }, (_, i) => requests.lastTokenNs[i]! - requests.arrivalNs[i]!);

const farApart = (count: number) => Array.from({ length: count }, (_, i) => ({ at: i * 1e10, prompt: 60, output: 5 }));

/** Weights of the tiny model over the link of the test device: 4 layers, embedding and head, in bf16. */
function loadNs(config: SimConfig): number {
  const { weightBytes } = new Simulation(alone(config)).pools[0]!.memory;
  return Math.ceil(5000 + (weightBytes * 1e9) / 2.5e10);
}

test("a request for a model that is not there takes the load longer than one whose model is there", () => {
  const config = inTurn({ requests: farApart(6), servedBy: [0, 1, 0, 0, 1, 1], room: 1 });
  const result = run(config);
  const single = run({ ...alone(config), workload: { kind: "open", requests: testRequests(farApart(6)) } });
  const load = loadNs(config);
  const missing = [1, 1, 1, 0, 1, 0];
  const own = timesOf(single);
  for (const [i, time] of timesOf(result).entries()) {
    // A model alone steps over the same tokens: the routing of a request starts at its own row.
    expect(time - own[i]!).toBe(missing[i]! * load);
  }
  expect(result.modelCache).toMatchObject({
    found: 2,
    missed: 4,
    loads: 4,
    evictions: 3,
    loadNs: expect.closeTo(4 * load, -1),
  });
  expect(result.modelCache!.stallNs).toBe(4 * load);
});

test("what is added to a load comes on top of its transfer", () => {
  const setup = { requests: farApart(4), servedBy: [0, 1, 0, 1], room: 1 };
  const [plain, added] = [run(inTurn(setup)), run(inTurn({ ...setup, loadOverheadNs: 7_000_000 }))];
  expect(timesOf(added).map((time, i) => time - timesOf(plain)[i]!)).toEqual([7e6, 7e6, 7e6, 7e6]);
});

test("with room for all every model is loaded once, and then nothing differs from a device of its own", () => {
  const servedBy = [0, 1, 2, 2, 1, 0, 1];
  const config = inTurn({ requests: farApart(7), servedBy, room: 3 });
  const result = run(config);
  const single = run({ ...alone(config), workload: { kind: "open", requests: testRequests(farApart(7)) } });
  expect(result.modelCache).toMatchObject({ found: 4, missed: 3, loads: 3, evictions: 0 });
  expect(timesOf(result).slice(3)).toEqual(timesOf(single).slice(3));
});

test("a model that is kept is never loaded nor missed", () => {
  const config = inTurn({ requests: farApart(5), servedBy: [0, 0, 0, 0, 0], room: 1, variants: 1, keep: [0] });
  expect(run(config).modelCache).toMatchObject({ found: 5, missed: 0, loads: 0, stallNs: 0 });
});

test("the KV cache of a model is as full as on devices of its own, however many models take turns", () => {
  const config = inTurn({ requests: farApart(2), servedBy: [1, 1], room: 3, keep: [0] });
  const single = run({ ...alone(config), workload: { kind: "open", requests: testRequests(farApart(2)) } });
  expect(single.series.kvUse.some((share) => share > 0)).toBe(true);
  expect(run(config).series).toEqual(single.series);
});

test("what a model had cached of prompts is gone when it leaves, and else is found again", () => {
  const prefix = {
    blockTokens: 16,
    offsets: Uint32Array.of(0, 4, 8, 12),
    ids: Uint32Array.of(0, 1, 2, 3, 9, 9, 9, 9, 0, 1, 2, 3),
  };
  const rows = [64, 64, 64].map((prompt, i) => ({ at: i * 1e10, prompt, output: 2 }));
  const hits = [1, 2].map((room) => {
    const config = inTurn({ requests: rows, servedBy: [0, 1, 0], room, variants: 2 });
    const workload = { kind: "open" as const, requests: testRequests(rows, prefix) };
    return run({ ...config, workload, scheduler: { ...config.scheduler, prefixCaching: true } }).kv.prefixHitTokens;
  });
  expect(hits).toEqual([0, 63]);
});

test("a model takes no more than its share for KV caches", () => {
  const config = inTurn({ requests: farApart(1), servedBy: [0], room: 1 });
  const planned = (bytes: number) => new Simulation({ ...alone(config), kvBytes: bytes }).pools[0]!.memory;
  for (const bytes of [1e6, 2e6, 3.3e6]) {
    const { items } = planned(bytes).map.tiers[0]!;
    const kv = items.find(({ name }) => name.startsWith("KV"))!.bytes;
    expect(kv).toBeLessThanOrEqual(bytes);
    expect(kv).toBeGreaterThan(bytes - 16 * planned(bytes).map.kvBytesPerToken);
  }
});

test("no more models close than have to leave", () => {
  // Three models at work fill the memory. A fourth closes one of them, and no more when a fifth waits behind it.
  const long = { prompt: 20, output: 60 };
  const late = { prompt: 20, output: 2 };
  const rows = [
    ...[0, 1, 2].map(() => ({ at: 0, ...long })),
    { at: 1.2e7, ...late },
    { at: 1.25e7, ...late },
    ...[0, 1, 2, 0, 1, 2].map((_, i) => ({ at: 1.3e7 + i * 1000, ...late })),
  ];
  const result = run(inTurn({ requests: rows, servedBy: [0, 1, 2, 3, 4, 0, 1, 2, 0, 1, 2], room: 3, variants: 5 }));
  expect(result.modelCache).toMatchObject({ found: 4, missed: 7 });
});

test.each([true, false])(
  "a model that closes finishes what it began, preempted requests too; in chunks: %s",
  (chunkedPrefill) => {
    // Two requests of the first model outgrow its KV cache while the second model is awaited.
    const rows = [
      { at: 0, prompt: 900, output: 150 },
      { at: 0, prompt: 900, output: 150 },
      { at: 5e6, prompt: 20, output: 2 },
    ];
    const overrides = { scheduler: { ...testConfig().scheduler, ...quick.defaults, chunkedPrefill } };
    const { kv, requests, modelCache } = run(
      inTurn({ requests: rows, servedBy: [0, 0, 1], room: 1, variants: 2, overrides }),
    );
    expect(kv.preemptions).toBe(1);
    expect(requests.firstTokenNs[2]).toBeGreaterThan(Math.max(requests.lastTokenNs[0]!, requests.lastTokenNs[1]!));
    expect(modelCache!.loads).toBe(2);
  },
);

test("a request counts by what it finds at the scheduler, also where that looks for it later", () => {
  const ahead = { ...quick, schedulesAhead: true };
  const resultWith = (at: number) => {
    const rows = [
      { at: 0, prompt: 60, output: 6 },
      { at: 3e5, prompt: 60, output: 2 },
      ...(at > 0 ? [{ at, prompt: 60, output: 2 }] : []),
    ];
    const setup = { requests: rows, servedBy: [0, 1, 0].slice(0, rows.length), room: 1, variants: 2 };
    return run(inTurn({ ...setup, overrides: { engine: ahead } }));
  };
  const { requests, modelCache } = resultWith(0);
  expect(modelCache).toMatchObject({ found: 0, missed: 2, loads: 2 });
  // The first model closes for the second one, and is in its last step.
  expect(resultWith(requests.lastTokenNs[0]! - 1).modelCache).toMatchObject({ found: 0, missed: 3, loads: 3 });
});

/** Hits of LRU over single requests, the naive way. */
function lruHits(models: readonly number[], room: number): number {
  let resident: number[] = [];
  let hits = 0;
  for (const model of models) {
    if (resident.includes(model)) hits++;
    resident = [...resident.filter((other) => other !== model), model].slice(-room);
  }
  return hits;
}

test("one request at a time hits as LRU does, and never less with more room", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 30 }), (models) => {
      const found = [1, 2, 3, 4, 5].map((room) => {
        const requests = models.map(() => ({ prompt: 20, output: 2 }));
        const config = inTurn({ requests, servedBy: models, room, variants: 5, clients: 1 });
        return run(config).modelCache!.found;
      });
      expect(found).toEqual([1, 2, 3, 4, 5].map((room) => lruHits(models, room)));
      expect([...found].sort((a, b) => a - b)).toEqual(found);
    }),
    { numRuns: drawn(8) },
  );
});

test("a prompt that another model reads first takes that model's prompt time longer", () => {
  const { otherPools: _, ...base } = inTurn({ requests: [], servedBy: [], room: 1, variants: 1 });
  const chooser: PoolConfig = { ...base, name: "chooser", role: "router", kvBytes };
  const requests = [{ prompt: 100, output: 6 }];
  const direct = run(inTurn({ requests, servedBy: [0], room: 2, variants: 1, keep: [0] }));
  const read = run(inTurn({ requests, servedBy: [0], room: 2, variants: 1, keep: [0, 1], others: [chooser] }));
  const prompt = direct.requests.firstTokenNs[0]!;
  // Both have one shape, so reading takes what the first token takes.
  expect(read.requests.firstTokenNs[0]).toBe(2 * prompt);
  expect(timesOf(read)[0]! - timesOf(direct)[0]!).toBe(prompt);
  expect(read.promptTokensComputed).toBe(100);
  expect(read.outputTokens).toBe(6);
});

test("what the model that reads had cached of a prompt does not count for the one that serves it", () => {
  const prefix = { blockTokens: 16, offsets: Uint32Array.of(0, 4, 8), ids: Uint32Array.of(0, 1, 2, 3, 0, 1, 2, 3) };
  const rows = [64, 64].map((prompt, i) => ({ at: i * 1e10, prompt, output: 2 }));
  const { otherPools: _, modelCache: __, ...base } = inTurn({ requests: rows, servedBy: [0, 0], room: 1, variants: 1 });
  const scheduler = { ...base.scheduler, prefixCaching: true };
  const chooser: PoolConfig = { ...base, scheduler, name: "chooser", role: "router", kvBytes };
  const config = inTurn({ requests: rows, servedBy: [0, 0], room: 2, variants: 1, others: [chooser] });
  const result = run({ ...config, workload: { kind: "open", requests: testRequests(rows, prefix) } });
  expect(result.pools.map(({ kv }) => kv.prefixHitTokens)).toEqual([0, 63]);
  expect([...result.requests.cachedTokens]).toEqual([0, 0]);
});

test("a model that does not fit beside those that stay is refused, with its size", () => {
  const config = inTurn({ requests: farApart(1), servedBy: [0], room: 1, variants: 2 });
  const small = { ...config, modelCache: { ...config.modelCache!, deviceBytes: config.modelCache!.deviceBytes - 1 } };
  expect(() => new Simulation(small)).toThrow(InfeasibleError);
  expect(() => new Simulation({ ...config, modelCache: { ...config.modelCache!, keep: [0] } })).toThrow(
    /models that stay/,
  );
});

test("models that no tier behind the devices holds are refused", () => {
  const config = inTurn({ requests: farApart(1), servedBy: [0], room: 1, variants: 3 });
  const node = testNode();
  const bare = { ...config, node: { ...node, tiers: [{ ...node.tiers[0]!, bytes: 1e6 }] } };
  expect(() => new Simulation(bare)).toThrow(/weights of 3 models do not fit behind the devices/);
});

test("models beyond host memory are loaded at the rate of the disk", () => {
  const config = inTurn({ requests: farApart(2), servedBy: [0, 1], room: 1, variants: 2 });
  const { weightBytes } = new Simulation(alone(config)).pools[0]!.memory;
  const node = testNode();
  const tiers = [{ ...node.tiers[0]!, bytes: weightBytes }, node.tiers[1]!];
  const result = run({ ...config, node: { ...node, tiers } });
  expect(result.modelCache!.homes).toEqual([
    { tier: "ddr", models: 1, bytes: weightBytes },
    { tier: "nvme", models: 1, bytes: weightBytes },
  ]);
  expect(result.modelCache!.loadNs).toBeCloseTo(
    5000 + (weightBytes * 1e9) / 2.5e10 + 50_000 + (weightBytes * 1e9) / 5e9,
    0,
  );
});

test("each device loads its part over its link, or one that it shares, and the tier is read for all of them", () => {
  const node = testNode();
  const loadOf = (hostLinkDevices: number, bytesPerSecond: number) => {
    const [ddr, nvme] = node.tiers;
    const tiers = [{ ...ddr!, read: { ...ddr!.read, bytesPerSecond } }, nvme!];
    const mapping = { ...testConfig().mapping, tp: 2, ep: 2 };
    const overrides = { mapping, node: { ...node, hostLinkDevices, tiers } };
    const config = inTurn({ requests: farApart(1), servedBy: [0], room: 1, variants: 2, overrides });
    const { weightBytes } = new Simulation(alone(config)).pools[0]!.memory;
    const { loads, loadNs: ns, loadedBytes, homes } = run(config).modelCache!;
    expect([loads, loadedBytes]).toEqual([1, 2 * weightBytes]);
    expect(homes).toEqual([{ tier: "ddr", models: 2, bytes: 4 * weightBytes }]);
    return ns / weightBytes;
  };
  const perByte = 1e9 / 2.5e10;
  // Latencies beside: 5 us of the link, 100 ns of the tier.
  expect(loadOf(1, 1e12)).toBeCloseTo(perByte, 2);
  expect(loadOf(2, 1e12)).toBeCloseTo(2 * perByte, 2);
  expect(loadOf(1, 1e10)).toBeCloseTo(2e9 / 1e10, 2);
});

const busy = fc.record({
  models: fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }),
  room: fc.integer({ min: 1, max: 4 }),
  clients: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  gap: fc.nat(3_000_000),
  output: fc.integer({ min: 1, max: 12 }),
  keep: fc.boolean(),
  chooses: fc.boolean(),
});

test("whatever the load, all requests get through, one model steps at a time, and every run is the same", () => {
  fc.assert(
    fc.property(busy, ({ models, room, clients, gap, output, keep, chooses }) => {
      const requests = models.map((_, i) => ({ at: i * gap, prompt: 30 + (i % 7) * 40, output }));
      const base = { requests, servedBy: models, variants: 4 };
      const { modelCache: _, otherPools: __, ...shape } = inTurn({ ...base, room });
      const chooser: PoolConfig = { ...shape, name: "chooser", role: "router", replicas: 1 };
      const config = inTurn({
        ...base,
        room: room + 1,
        ...(clients === undefined ? {} : { clients }),
        ...(chooses ? { others: [chooser], keep: keep ? [1] : [] } : {}),
      });
      const result = run(config);
      const { weightBytes } = new Simulation(alone(config)).pools[0]!.memory;
      expect(result.requests.status.every((status) => status === 0)).toBe(true);
      expect(result.laws["one-model-at-a-time"]).toBe(result.steps);
      const { found, missed, loads, evictions, loadedBytes, stallNs, loadNs: busyNs } = result.modelCache!;
      expect(found + missed).toBe(models.length);
      // Nothing is loaded that no request waits for; the model that chooses is loaded for requests that count for others.
      if (!chooses || keep) expect(loads).toBeLessThanOrEqual(missed);
      expect(evictions).toBeLessThanOrEqual(loads);
      expect(loadedBytes).toBe(loads * weightBytes);
      expect(stallNs).toBeLessThanOrEqual(busyNs + loads);
      expect(run(config)).toEqual(result);
    }),
    { numRuns: drawn(25) },
  );
});

test("under a load that never pauses no model waits for ever: each gets on once per turn of all others", () => {
  const models = Array.from({ length: 120 }, (_, i) => i % 3);
  const requests = models.map((_, i) => ({ at: i * 200_000, prompt: 50, output: 20 }));
  const result = run(inTurn({ requests, servedBy: models, room: 1 }));
  const firsts = [0, 1, 2].map((model) => result.requests.firstTokenNs[model]! / result.endNs);
  // First come, first served: the third model has its first token long before the first model is through.
  expect(Math.max(...firsts)).toBeLessThan(0.2);
});
