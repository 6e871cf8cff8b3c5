import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import type { Draft, SimConfig } from "../../src/sim/config.ts";
import { requestStatus } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { acceptanceLength, Speculation } from "../../src/sim/speculation.ts";
import { drawn } from "../drawn.ts";
import { testConfig, testEngine, testNode, testRequests, tinyModel } from "./build.ts";

const free: Draft = { kind: "free" };

const withDrafts = (
  draftTokens: number,
  acceptance: number | readonly number[],
  draft: Draft = free,
): Pick<SimConfig, "speculation"> => ({
  speculation: {
    draftTokens,
    acceptance:
      typeof acceptance === "number" ? new Float64Array(draftTokens).fill(acceptance) : Float64Array.from(acceptance),
    draft,
  },
});

const one = (prompt: number, output: number): Pick<SimConfig, "workload"> => ({
  workload: { kind: "open", requests: testRequests([{ prompt, output }]) },
});

const many = (count: number, output = 200): Pick<SimConfig, "workload"> => ({
  workload: {
    kind: "open",
    requests: testRequests(Array.from({ length: count }, (_, i) => ({ at: i * 100_000, prompt: 20 + i, output }))),
  },
});

/** Only fixed overheads take time: 4 layers x 10 kernels x 1 us + 100 us + 1 us per sequence. */
const instant = { node: testNode({ peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30 }) };
const stepNs = 4 * 10 * 1000 + 100_000 + 1000;

describe("tokens of a verification", () => {
  test("are one where no draft token is accepted, and the step still pays for all", () => {
    const plain = simulate(testConfig(many(8)));
    const wasted = simulate(testConfig({ ...many(8), ...withDrafts(3, 0) }));
    expect(wasted.speculation?.accepted).toBe(0);
    expect(wasted.outputTokens).toBe(plain.outputTokens);
    expect(wasted.requests.status.every((status) => status === requestStatus.completed)).toBe(true);
    for (let i = 0; i < 8; i++) expect(wasted.requests.lastTokenNs[i]!).toBeGreaterThan(plain.requests.lastTokenNs[i]!);
    const stepOf = ({ replicaBusyNs, steps }: typeof plain) => replicaBusyNs[0]! / steps;
    expect(stepOf(wasted)).toBeGreaterThan(stepOf(plain));
    expect(wasted.time.attention).toBeGreaterThan(plain.time.attention);
    expect(wasted.time.experts).toBeGreaterThan(plain.time.experts);
  });

  test("are one more than the drafts where all are accepted, and outputs end where they end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 60 }), (drafts, output) => {
        const { requests, steps, outputTokens, itl } = simulate(
          testConfig({ ...instant, ...one(100, output), ...withDrafts(drafts, 1) }),
        );
        // The prompt's step emits one token, every verification 1 + drafts until the last.
        const verifications = Math.ceil((output - 1) / (1 + drafts));
        expect(steps).toBe(1 + verifications);
        expect(outputTokens).toBe(output);
        expect(itl.count).toBe(output - 1);
        expect(requests.firstTokenNs[0]).toBe(stepNs);
        expect(requests.lastTokenNs[0]).toBe(stepNs * (1 + verifications));
      }),
      { numRuns: drawn(30) },
    );
  });

  test("follow the draws of the request and position, and nothing else", () => {
    const acceptance = [0.8, 0.6, 0.9];
    const outputs = [1, 2, 57, 300];
    const seed = 9;
    const requests = testRequests(outputs.map((output) => ({ prompt: 30, output })));
    const run = (maxSequences: number) =>
      simulate(
        testConfig({
          ...instant,
          ...withDrafts(3, acceptance),
          seed,
          scheduler: { ...testConfig().scheduler, maxSequences },
          workload: { kind: "open", requests },
        }),
      );
    // By definition: accept while the one draw is below the product of the probabilities so far.
    const stream = new RandomStream(seed, "speculation");
    let verifications = 0;
    let accepted = 0;
    for (const [request, output] of outputs.entries())
      for (let emitted = 1; emitted < output; ) {
        const draw = stream.at(request * 2 ** 24 + emitted);
        const taken = draw < 0.8 ? (draw < 0.8 * 0.6 ? (draw < 0.8 * 0.6 * 0.9 ? 3 : 2) : 1) : 0;
        verifications++;
        accepted += taken;
        emitted += 1 + taken;
      }
    for (const maxSequences of [1, 3, 32])
      expect(run(maxSequences).speculation).toEqual({ verifications, drafted: 3 * verifications, accepted });
  });

  test("are on average the acceptance length", () => {
    for (const acceptance of [[0.7], [0.9, 0.8, 0.7], [0.5, 1, 0.2, 0.9], [0, 1]]) {
      const { speculation } = simulate(
        testConfig({ ...many(20, 300), ...withDrafts(acceptance.length, acceptance), routing: { kind: "uniform" } }),
      );
      const survival = acceptance.map((_, i) => acceptance.slice(0, i + 1).reduce((product, p) => product * p, 1));
      const mean = survival.reduce((sum, value) => sum + value, 0);
      expect(acceptanceLength(Float64Array.from(acceptance))).toBeCloseTo(1 + mean, 12);
      // E[a^2] = sum of (2 i - 1) P(a >= i).
      const square = survival.reduce((sum, value, i) => sum + (2 * i + 1) * value, 0);
      const { verifications, accepted } = speculation!;
      expect(verifications).toBeGreaterThan(1000);
      const sigma = Math.sqrt((square - mean * mean) / verifications);
      expect(Math.abs(accepted / verifications - mean)).toBeLessThanOrEqual(3 * sigma);
    }
  });

  test("never exceed the drafts at hand", () => {
    const certain = new Speculation({ draftTokens: 4, acceptance: new Float64Array(4).fill(1), draft: free }, 1);
    expect([0, 1, 4].map((drafts) => certain.verify(3, 7, drafts))).toEqual([0, 1, 4]);
  });
});

describe("a verification", () => {
  test("computes its draft tokens with experts of their own", () => {
    const { layers, speculation, requests } = simulate(testConfig({ ...many(6, 40), ...withDrafts(2, 0.5) }));
    const prompts = requests.promptTokens.reduce((sum, tokens) => sum + tokens, 0);
    const { verifications, drafted } = speculation!;
    expect(drafted).toBe(2 * verifications);
    // Two experts a token; every verification computes its sequence's newest token too.
    for (const layer of layers) expect(layer.pairs).toBe(2 * (prompts + verifications + drafted));
  });

  test("computes as much as a decode of each of its tokens, and reads weights and cache once", () => {
    const engine = testEngine({ stepOverheadNs: 0, sequenceOverheadNs: 0, kernelOverheadNs: 0 });
    const windowed = tinyModel().layers.map(({ attention, feedForward }, i) => ({
      attention: i % 2 === 0 && attention.kind === "gqa" ? { ...attention, windowTokens: 90 } : attention,
      feedForward,
    }));
    const timeOn = (device: Parameters<typeof testNode>[0], parts: Partial<SimConfig>) =>
      simulate(
        testConfig({
          node: testNode(device),
          engine,
          model: tinyModel({ layers: windowed }),
          ...one(80, 37),
          ...parts,
        }),
      ).time;
    const computing = { memoryBytesPerSecond: 1e30 };
    const plain = timeOn(computing, {});
    const verified = timeOn(computing, withDrafts(3, 1));
    for (const part of ["attention", "experts", "head"] as const)
      expect(verified[part] / plain[part]).toBeCloseTo(1, 9);
    const reading = { peak: { bf16: 1e30 } };
    const [single, four] = [timeOn(reading, {}), timeOn(reading, withDrafts(3, 1))];
    for (const part of ["attention", "experts", "head"] as const) {
      expect(four[part]).toBeLessThan(single[part] * 0.7);
      expect(four[part]).toBeGreaterThan(single[part] * 0.25);
    }
  });

  test("needs room for its drafts, and keeps only that of emitted tokens", () => {
    const peak = (drafts: number, acceptance: number) => {
      const config = { ...one(100, 13), ...(drafts === 0 ? {} : withDrafts(drafts, acceptance)) };
      return simulate(testConfig(config)).kv.peakBlocks;
    };
    // 100 + 13 - 1 cached tokens fill 7 blocks of 16; a draft at the last one opens an eighth, accepted or not.
    expect(peak(0, 0)).toBe(7);
    expect(peak(1, 0)).toBe(8);
    expect(peak(17, 0)).toBe(9);
    expect(peak(1, 1)).toBe(7);
  });

  test("shrinks where the KV cache, the context or the token budget has no room for all drafts", () => {
    const tight = (parts: Partial<SimConfig["scheduler"]>, blocks: number | null = null) => {
      const base = testConfig({ ...one(64, 64), ...withDrafts(5, 0.5) });
      const whole = simulate(base).memory;
      const fixed = whole.tiers[0]!.usedBytes - whole.tiers[0]!.items.find((item) => item.name.startsWith("KV"))!.bytes;
      const memoryBytes = blocks === null ? 1e9 : (fixed + blocks * 16 * whole.kvBytesPerToken) / 0.9 + 1;
      return simulate({
        ...base,
        node: testNode({ memoryBytes }),
        scheduler: { ...base.scheduler, ...parts },
      });
    };
    for (const result of [
      tight({ contextTokensMax: 128 }),
      tight({}, 8),
      tight({ maxBatchTokens: 3 }),
      tight({ maxBatchTokens: 1 }),
    ]) {
      expect(result.outputTokens).toBe(64);
      expect(result.requests.status[0]).toBe(requestStatus.completed);
      const { verifications, drafted } = result.speculation!;
      expect(drafted).toBeLessThan(5 * verifications + Number(verifications === 0));
    }
    expect(tight({}, 8).kv.blocks).toBe(8);
    expect(tight({ maxBatchTokens: 1 }).speculation?.verifications).toBe(0);
  });

  test("takes blocks of the youngest when memory is short, and all outputs stay exact", () => {
    const base = testConfig({ ...many(12, 300), ...withDrafts(4, 0.6) });
    const roomy = simulate(base);
    const device = roomy.memory.tiers[0]!;
    const fixed = device.usedBytes - device.items.find((item) => item.name.startsWith("KV"))!.bytes;
    const node = testNode({ memoryBytes: (fixed + 4 * 340 * roomy.memory.kvBytesPerToken) / 0.9 });
    const short = simulate({ ...base, node });
    expect(roomy.kv.preemptions).toBe(0);
    expect(short.kv.preemptions).toBeGreaterThan(0);
    expect(short.outputTokens).toBe(12 * 300);
  });

  test("does not starve whole prompts that nearly fill the token budget", () => {
    const base = testConfig({ ...withDrafts(7, 0) });
    const requests = testRequests([
      { at: 0, prompt: 100, output: 1000 },
      { at: 1_000_000, prompt: 508, output: 5 },
    ]);
    const { requests: rows } = simulate({
      ...base,
      scheduler: { ...base.scheduler, chunkedPrefill: false },
      workload: { kind: "open", requests },
    });
    expect(rows.firstTokenNs[1]!).toBeLessThan(rows.lastTokenNs[0]! / 10);
  });

  test("gives the tokens it emits equal shares of its gap", () => {
    const { itl, requests } = simulate(testConfig({ ...instant, ...one(50, 21), ...withDrafts(3, 1) }));
    expect(itl.count).toBe(20);
    expect(itl.max()).toBeCloseTo(stepNs / 4, 3);
    expect(itl.mean() * 20).toBeCloseTo(requests.lastTokenNs[0]! - requests.firstTokenNs[0]!, -1);
  });
});

describe("drafting", () => {
  const layersOf = (layersPerToken: number, kind: "mtp" | "eagle"): Draft => ({ kind, layersPerToken });

  test.each(["mtp", "eagle"] as const)("with %s passes its layers once per draft token", (kind) => {
    // The first token of a prompt of three chunks: two steps only keep the module's cache, one also drafts.
    for (const [drafts, layers] of [
      [1, 1],
      [3, 1],
      [2, 2],
    ] as const) {
      const { time, steps } = simulate(
        testConfig({ ...instant, ...one(1200, 1), ...withDrafts(drafts, 0.5, layersOf(layers, kind)) }),
      );
      expect(steps).toBe(3);
      expect(time.draft).toBeCloseTo((2 + drafts) * layers * 10 * 1000, 3);
    }
  });

  test("costs the device nothing where drafts come from the text", () => {
    expect(simulate(testConfig({ ...many(3), ...withDrafts(3, 0.5) })).time.draft).toBe(0);
  });

  test("with one layer costs what a model of that layer costs, and one product more", () => {
    // A bandwidth alone: time is bytes over 1e12 bytes/s, 1e-3 ns a byte.
    const node = testNode({ peak: { bf16: 1e30 } });
    const engine = testEngine({ stepOverheadNs: 0, sequenceOverheadNs: 0, kernelOverheadNs: 0 });
    const shared = { ...one(64, 1), node, engine, routing: { kind: "uniform" as const } };
    const { time } = simulate(testConfig({ ...shared, ...withDrafts(1, 0.5, layersOf(1, "mtp")) }));
    const single = simulate(testConfig({ ...shared, model: tinyModel({}, 1) }));
    const layer = single.time.attention + single.time.experts + single.time.head;
    const join = (2 * 256 * 256 * 2 + 2 * 64 * (2 * 256 + 256)) / 1000;
    expect(time.draft).toBeCloseTo(layer + join, 0);
  });

  test("holds its weights and a cache of its own", () => {
    const map = (parts: Partial<SimConfig>) => simulate(testConfig({ ...one(10, 1), ...parts })).memory;
    const bytesOf = ({ tiers }: ReturnType<typeof map>, names: RegExp) =>
      tiers[0]!.items.filter(({ name }) => names.test(name)).reduce((sum, { bytes }) => sum + bytes, 0);
    const weights = /weights|experts|norms/;
    const uniform = { routing: { kind: "uniform" as const } };
    const four = map(uniform);
    const five = map({ ...uniform, model: tinyModel({}, 5) });
    const drafting = map({ ...uniform, ...withDrafts(3, 0.5, layersOf(1, "mtp")) });
    const layer = bytesOf(five, weights) - bytesOf(four, weights);
    expect(bytesOf(drafting, /draft module/)).toBe(layer + 2 * 256 * 256 * 2 + 3 * 256 * 2);
    expect(drafting.kvBytesPerToken).toBe(five.kvBytesPerToken);
    // Three modules for three draft tokens, two for two.
    const modules = (drafts: number) =>
      bytesOf(
        map({ ...uniform, model: tinyModel({ mtpLayers: 3 }), ...withDrafts(drafts, 0.5, layersOf(1, "mtp")) }),
        /draft module/,
      );
    expect([modules(1), modules(2), modules(9)]).toEqual([1, 2, 3].map((n) => n * bytesOf(drafting, /draft module/)));
    // Logits of all verified positions.
    expect(bytesOf(drafting, /activations/) - bytesOf(four, /activations/)).toBe(32 * 3 * 1024 * 4);
  });
});

test("equal runs give equal results, and drafts that pay shorten every answer", () => {
  const run = (parts: Partial<SimConfig>) => {
    const { requests, itl, ...rest } = simulate(testConfig({ ...many(10), ...parts }));
    return { last: [...requests.lastTokenNs], itl: itl.toJSON(), rest: JSON.stringify(rest) };
  };
  const drafting = withDrafts(2, 0.8, { kind: "mtp", layersPerToken: 1 });
  expect(run(drafting)).toEqual(run(drafting));
  const plain = run({});
  expect(run(withDrafts(2, 0.9)).last.every((at, i) => at < plain.last[i]!)).toBe(true);
});

test("the ledger says how often drafts were accepted and what is not as it would be", () => {
  const topics = (parts: Partial<SimConfig>) =>
    simulate(testConfig({ ...one(30, 40), ...parts })).ledger.map((entry) => entry.topic);
  const own = ["speculative decoding", "routing of draft tokens", "draft module"];
  expect(topics({}).filter((topic) => own.includes(topic))).toEqual([]);
  expect(topics(withDrafts(2, 0.5, { kind: "mtp", layersPerToken: 1 })).filter((topic) => own.includes(topic))).toEqual(
    own,
  );
  const uniform = topics({ ...withDrafts(2, 0.5), routing: { kind: "uniform" } });
  expect(uniform.filter((topic) => own.includes(topic))).toEqual(["speculative decoding"]);
});
