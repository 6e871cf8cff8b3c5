import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { InvariantError } from "../../../src/core/errors.ts";
import type { HostProcessors } from "../../../src/hardware/device.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import { type MissPolicyName, missPolicies } from "../../../src/policy/miss/miss-policies.ts";
import type { MissChoice, MissPolicy } from "../../../src/policy/miss/miss-policy.ts";
import type { OffloadConfig, SimConfig } from "../../../src/sim/config.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { singleDevice, testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";

const layers = 4;
const experts = 8;
const topK = 2;
const plain = testRouting(layers, experts, topK, 200, 3);
/** The first choice of a token weighs three times the second. */
const table = {
  ...plain,
  weights: Float32Array.from({ length: plain.ids.length }, (_, i) => (i % topK === 0 ? 0.75 : 0.25)),
};
const popularity = Float64Array.from({ length: layers * experts }, (_, key) => (key * 5) % 11);

function host(count = 1): HostProcessors {
  const { device } = testNode();
  return {
    count,
    device: { ...device, id: "cpu", kind: "cpu", hostLink: null, scaleUp: null, peak: { bf16: 2e12 } },
  };
}

const miss = (kind: MissPolicyName, values: Readonly<Record<string, unknown>> = {}): MissChoice => {
  const policy: MissPolicy = missPolicies[kind];
  return { policy, values: z.object(policy.parameters).parse(values) };
};

const held = (overrides: Partial<OffloadConfig> = {}): OffloadConfig =>
  testOffload({ policy: cachePolicies.static, slots: 3, popularity, logAccessesMax: 1e5, ...overrides });

interface Setting {
  readonly prompt: number;
  readonly output: number;
  readonly tierBytesPerSecond?: number;
  readonly overrides?: Partial<SimConfig>;
}

/** One device, one request after the other: nothing that one step changes alters another. */
function run(offload: OffloadConfig, { prompt, output, tierBytesPerSecond, overrides }: Setting): RunResult {
  const base = testNode();
  const [ddr, nvme] = base.tiers as [(typeof base.tiers)[0], (typeof base.tiers)[0]];
  const read = { ...ddr.read, bytesPerSecond: tierBytesPerSecond ?? ddr.read.bytesPerSecond };
  return simulate(
    testConfig({
      node: { ...base, host: host(), tiers: [{ ...ddr, read }, nvme] },
      mapping: singleDevice,
      routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
      workload: {
        kind: "closed",
        concurrency: 1,
        requests: testRequests(Array.from({ length: 3 }, () => ({ prompt, output }))),
      },
      offload,
      ...overrides,
    }),
  );
}

const actionsOf = ({ cache }: RunResult) =>
  Object.fromEntries(cache!.actions!.taken.map(({ action, experts: count }) => [action, count]));
const setting = fc.record({ prompt: fc.integer({ min: 1, max: 40 }), output: fc.integer({ min: 1, max: 20 }) });

describe("misses that all are fetched", () => {
  test("take what they take without a miss policy, to the nanosecond", () => {
    fc.assert(
      fc.property(
        setting,
        fc.constantFrom("lru", "static", "lfu"),
        fc.integer({ min: 0, max: 8 }),
        (at, name, slots) => {
          const offload = held({ policy: cachePolicies[name], slots });
          // Row after row it fetches: the same decision by the longer way.
          const { actions: _none, ...fetched } = run(offload, at).cache!;
          const always = run({ ...offload, miss: miss("skip", { keep: 64 }) }, at);
          const { actions, ...planned } = always.cache!;
          expect({ ...planned, reference: null }).toEqual({ ...fetched, reference: null });
          expect(always.endNs).toBe(run(offload, at).endNs);
          expect(actions!.taken.every(({ action }) => action === "fetch")).toBe(true);
        },
      ),
      { numRuns: drawn(40) },
    );
  });
});

describe("experts that the host computes", () => {
  test("never cross the link, and take what their bytes take in host memory", () => {
    const [prompt, output] = [1, 40];
    const none = held({ slots: 0, miss: miss("host") });
    const at = (tierBytesPerSecond: number) => run(none, { prompt, output, tierBytesPerSecond });
    const slow = at(1e9);
    expect(slow.cache!.fetchedBytes).toBe(0);
    expect(slow.cache!.hits).toBe(0);
    const processors = slow.resources.find(({ name }) => name === "processors of node 0")!;
    const memory = slow.resources.find(({ name }) => name.startsWith("host memory"))!;
    // Every token reads its experts once; the device's own profile says what one takes.
    const bytesOfExpert = memory.bytes / slow.cache!.misses;
    expect(Number.isInteger(bytesOfExpert)).toBe(true);
    expect(processors.busyNs).toBeGreaterThanOrEqual(memory.bytes / 1e9 / 1e-9 / 1);
    expect(processors.busyNs).toBeLessThan((memory.bytes / 1e9 / 1e-9) * 1.05);
    // A tenth of the bandwidth, ten times the time.
    const fast = at(1e10);
    const fastBusy = fast.resources.find(({ name }) => name === "processors of node 0")!.busyNs;
    expect(processors.busyNs / fastBusy).toBeGreaterThan(9);
    expect(fast.endNs).toBeLessThan(slow.endNs);
  });

  test("are what devices wait for, up to the disk that memory gets them from", () => {
    const none = held({ slots: 0, miss: miss("host") });
    const stalls = (tierBytesPerSecond: number, hostBytes: number) => {
      const { stallNs, stallBy } = run({ ...none, hostBytes }, { prompt: 1, output: 20, tierBytesPerSecond }).cache!;
      return { stallNs, host: stallBy!["host processors"] ?? 0, disk: stallBy!["NVMe"] ?? 0 };
    };
    const inMemory = stalls(1e9, 64e9);
    expect(inMemory.host).toBeCloseTo(inMemory.stallNs, 0);
    expect(inMemory.host).toBeGreaterThan(0);
    // Memory that is fast waits for the disk, and slow processors for themselves.
    const [fast, slow] = [stalls(1e11, 0), stalls(1e8, 0)];
    expect(fast.disk).toBeGreaterThan(0.8 * fast.stallNs);
    expect(slow.disk).toBeGreaterThan(0);
    expect(slow.disk).toBeLessThan(0.2 * slow.stallNs);
    for (const { stallNs, host: processors, disk } of [fast, slow]) expect(processors + disk).toBeCloseTo(stallNs, 0);
  });

  test("are computed beside the device: neither alone takes longer than the call", () => {
    fc.assert(
      fc.property(setting, fc.constantFrom(1e9, 1e10, 5e10, 1e12), (at, tierBytesPerSecond) => {
        const ends = (kind: MissPolicyName) => run(held({ miss: miss(kind) }), { ...at, tierBytesPerSecond }).endNs;
        const host = ends("host");
        const fetched = run(held(), { ...at, tierBytesPerSecond }).endNs;
        // What is resident does not change, so the best of each call is the best of the run.
        expect(ends("min-max")).toBeLessThanOrEqual(Math.min(host, fetched) * (1 + 1e-3));
        expect(ends("deferral")).toBeLessThanOrEqual(host);
      }),
      { numRuns: drawn(25) },
    );
  });

  test("are not slower with faster memory", () => {
    fc.assert(
      fc.property(setting, fc.constantFrom<MissPolicyName>("host", "fiddler", "min-max", "row-split"), (at, kind) => {
        const ends = [1e9, 4e9, 1.6e10, 6.4e10].map(
          (tierBytesPerSecond) => run(held({ miss: miss(kind) }), { ...at, tierBytesPerSecond }).endNs,
        );
        for (const [i, end] of ends.slice(1).entries()) expect(end).toBeLessThanOrEqual(ends[i]! * (1 + 1e-3));
      }),
      { numRuns: drawn(20) },
    );
  });

  test("go to the device from so many tokens on", () => {
    const prompts = run(held({ miss: miss("host", { deviceFrom: 16 }) }), { prompt: 32, output: 8 });
    expect(actionsOf(prompts)["fetch"]).toBeGreaterThan(0);
    expect(actionsOf(prompts)["host"]).toBeGreaterThan(0);
    const decodes = run(held({ miss: miss("host", { deviceFrom: 16 }) }), { prompt: 1, output: 8 });
    expect(actionsOf(decodes)["fetch"]).toBeUndefined();
  });

  test("take no slot of the cache", () => {
    const lru = held({ policy: cachePolicies.lru, slots: 3, miss: miss("host") });
    const { cache } = run(lru, { prompt: 4, output: 30 });
    expect(cache!.hits).toBe(0);
    expect(actionsOf(run(lru, { prompt: 4, output: 30 }))).toEqual({ host: cache!.misses });
  });

  test("in deferral wait for their own in the last layer alone", () => {
    // Everything on the host, everything deferred: the layers before the last hide one layer of host work each.
    const at = { prompt: 1, output: 30, tierBytesPerSecond: 1e9 };
    const all = run(held({ slots: 0, miss: miss("deferral", { experts: topK }) }), at);
    expect(actionsOf(all)).toEqual({ defer: all.cache!.misses });
    const one = run(held({ slots: 0, miss: miss("deferral", { experts: 1 }) }), at);
    expect(actionsOf(one)["defer"]).toBe(one.cache!.misses / 2);
    expect(one.cache!.actions!.lossyMass).toBeCloseTo(0.25, 6);
  });

  test("are refused by an engine of laws when nobody has a host", () => {
    const node = testNode();
    expect(() =>
      simulate(
        testConfig({
          node,
          routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
          offload: held({ miss: miss("host") }),
        }),
      ),
    ).toThrow(InvariantError);
  });
});

describe("lossy actions", () => {
  test("skip and substitute fetch only the first choices, and say how much weight that leaves", () => {
    for (const kind of ["skip", "substitute"] as const) {
      const none = run(held({ miss: miss(kind, { keep: 0 }) }), { prompt: 1, output: 40 });
      if (kind === "skip") expect(none.cache!.stallNs).toBe(0);
      const first = run(held({ miss: miss(kind, { keep: 1 }) }), { prompt: 1, output: 40 });
      const all = run(held(), { prompt: 1, output: 40 });
      expect(first.endNs).toBeLessThan(all.endNs);
      expect(first.cache!.fetchedBytes).toBeLessThan(all.cache!.fetchedBytes);
      // Only second choices went, a quarter of a token's weight each.
      expect(first.cache!.actions!.lossyMass).toBeLessThanOrEqual(0.25);
      expect(first.cache!.actions!.lossyMass).toBeGreaterThan(0);
    }
  });

  test("narrow copies take their share of the bytes", () => {
    // The first choice has nothing before it, the second three quarters.
    const narrow = run(held({ miss: miss("gate-score", { narrowAbove: 0.6, skipAbove: 0.9, bits: 4 }) }), {
      prompt: 1,
      output: 40,
    });
    const { fetch = 0, narrow: few = 0, skip } = actionsOf(narrow);
    expect(skip).toBeUndefined();
    const whole = run(held(), { prompt: 1, output: 40 });
    const bytesOfExpert = whole.cache!.fetchedBytes / whole.cache!.misses;
    expect(narrow.cache!.fetchedBytes / bytesOfExpert).toBeCloseTo(fetch + few / 4, 6);
    const skipping = run(held({ miss: miss("gate-score", { narrowAbove: 0.6, skipAbove: 0.7, bits: 4 }) }), {
      prompt: 1,
      output: 40,
    });
    expect(actionsOf(skipping)["skip"]).toBe(few);
  });

  test("an expert that somebody needs whole is fetched whole", () => {
    const merged = run(held({ slots: 0, miss: miss("gate-score") }), { prompt: 40, output: 1 });
    const alone = run(held({ slots: 0, miss: miss("gate-score") }), { prompt: 1, output: 40 });
    const share = (result: RunResult) => (actionsOf(result)["fetch"] ?? 0) / result.cache!.misses;
    expect(share(merged)).toBeGreaterThan(share(alone));
  });
});
