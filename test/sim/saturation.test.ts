import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { routers } from "../../src/policy/schedule/routers.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { testConfig, testEngine, testNode, testRequests, testRouting, tinyModel } from "./build.ts";

const stepNs = 1_000_000;

/** Steps of one millisecond: a domain completes maxSequences tokens a step. */
function config(overrides: Partial<SimConfig["scheduler"]>, memoryBytes = 1e12): SimConfig {
  const base = testConfig();
  return {
    ...base,
    model: tinyModel({}, 1),
    routing: { kind: "replay", table: testRouting(1), layerMap: [0], start: "zero" },
    node: testNode({ peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30, memoryBytes }),
    engine: testEngine({ stepOverheadNs: stepNs, sequenceOverheadNs: 0, kernelOverheadNs: 0 }),
    scheduler: { ...base.scheduler, maxBatchTokens: 4096, memoryUtilisation: 1, ...overrides },
  };
}

/** n requests of `output` tokens whose gaps, in steps, `gap` draws. */
function arrivals(n: number, gap: (rng: RandomStream, i: number) => number, output: (rng: RandomStream) => number) {
  const rng = new RandomStream(9, "arrivals");
  let at = 0;
  return testRequests(
    Array.from({ length: n }, (_, i) => {
      at += Math.round(gap(rng, i) * stepNs);
      return { at, prompt: 10, output: output(rng) };
    }),
  );
}
const verdict = (base: SimConfig, requests: ReturnType<typeof arrivals>) =>
  simulate({ ...base, workload: { kind: "open", requests } }).saturation;

describe("stable", () => {
  test("bursts that are served between each other, the trace ending inside one", () => {
    // 200 requests at once every 100 steps; eight at a time, two steps each, take 50.
    const requests = arrivals(
      2000,
      (_, i) => (i > 0 && i % 200 === 0 ? 100 : 0),
      () => 2,
    );
    expect(verdict(config({ maxSequences: 8 }), requests).verdict).toBe("stable");
  });

  test("a burst at the end of a calm run", () => {
    const requests = arrivals(
      1000,
      (_, i) => (i < 800 ? 1 : 0.01),
      () => 2,
    );
    const { verdict: found, reason } = verdict(config({ maxSequences: 4 }), requests);
    expect(found).toBe("stable");
    expect(reason).toMatch(/none of them a while before/);
  });

  test("a queue left by a burst at the start that no longer grows", () => {
    const requests = arrivals(
      1400,
      (_, i) => (i < 300 ? 0 : 0.52),
      () => 2,
    );
    const { verdict: found, reason } = verdict(config({ maxSequences: 4 }), requests);
    expect(found).toBe("stable");
    expect(Number(/^\d+/.exec(reason)![0])).toBeGreaterThan(100);
  });

  test("heavy-tailed lengths at 70 % of capacity", () => {
    // Pareto with exponent 1.5 from one token, cut at 1,000: about 2.9 tokens on average, 16 sequences.
    const length = (rng: RandomStream) => Math.min(1000, Math.ceil((1 - rng.uniform()) ** (-1 / 1.5)));
    const requests = arrivals(3000, (rng) => rng.exponential(3.4 / 16 / 0.7), length);
    expect(verdict(config({ maxSequences: 16 }), requests).verdict).toBe("stable");
  });

  test("a short run of Poisson arrivals at 60 % of capacity", () => {
    const requests = arrivals(
      60,
      (rng) => rng.exponential(10 / 4 / 0.6),
      () => 10,
    );
    expect(verdict(config({ maxSequences: 4 }), requests).verdict).toBe("stable");
  });

  test("two replicas that each get half of what one could not serve", () => {
    const requests = arrivals(
      2000,
      (rng) => rng.exponential(10 / 4 / 1.6),
      () => 10,
    );
    expect(verdict({ ...config({ maxSequences: 4 }), replicas: 2 }, requests).verdict).toBe("stable");
    expect(verdict(config({ maxSequences: 4 }), requests).verdict).toBe("overloaded");
  });

  test("a few requests that wait in a short run prove nothing", () => {
    const requests = arrivals(
      40,
      () => 1,
      () => 5,
    );
    const { verdict: found, reason } = verdict(config({ maxSequences: 4 }), requests);
    expect(found).toBe("stable");
    expect(Number(/^\d+/.exec(reason)![0])).toBeGreaterThan(3);
  });

  test("one instant of arrivals has no rate", () => {
    expect(
      verdict(
        config({ maxSequences: 4 }),
        arrivals(
          500,
          () => 0,
          () => 2,
        ),
      ).verdict,
    ).toBe("stable");
  });
});

describe("overloaded, with the rate it sustains", () => {
  test("three replicas at 130 % of capacity", () => {
    const base = { ...config({ maxSequences: 4 }), replicas: 3, router: routers["least-loaded"] };
    const requests = arrivals(
      3000,
      (rng) => rng.exponential(10 / 12 / 1.3),
      () => 10,
    );
    const found = verdict(base, requests);
    expect(found.verdict).toBe("overloaded");
    // Twelve sequences of ten steps of a millisecond.
    expect(found.sustainedRequestsPerSecond! / 1200).toBeCloseTo(1, 1);
    expect(found.offeredRequestsPerSecond! / 1560).toBeCloseTo(1, 1);
  });

  test("KV blocks that admit fewer sequences than the limit", () => {
    const roomy = simulate(config({ maxSequences: 64 }));
    const tier = roomy.memory.tiers[0]!;
    const kv = tier.items.find((item) => item.name.startsWith("KV"))!.bytes;
    // Of its 22 steps a request spends 7 with up to 16 tokens in one block and 15 in two; there are 16 blocks.
    const memoryBytes = tier.usedBytes - kv + 16 * (kv / roomy.memory.kvBlocks);
    const base = config({ maxSequences: 64 }, memoryBytes);
    const requests = arrivals(
      1000,
      (rng) => rng.exponential(22 / 8 / 1.5),
      () => 22,
    );
    const found = verdict(base, requests);
    expect(found.verdict).toBe("overloaded");
    const most = (16 / 37) * 1000;
    expect(found.sustainedRequestsPerSecond!).toBeLessThanOrEqual(most * 1.01);
    expect(found.sustainedRequestsPerSecond!).toBeGreaterThan(0.85 * most);
  });

  test("a queue that only begins after the running sequences have filled up", () => {
    // 200 sequences of 200 steps at twice the capacity: nobody waits for the first hundred steps.
    const requests = arrivals(
      1000,
      (rng) => rng.exponential(1 / 2),
      () => 200,
    );
    expect(verdict(config({ maxSequences: 200 }), requests).verdict).toBe("overloaded");
  });

  test("the rate is that of the time in which requests waited, not of the ramp before", () => {
    // 700 sequences of 400 steps fill up 350 steps into the 500 of the arrivals; 200 requests complete after that.
    const requests = arrivals(
      1000,
      () => 1 / 2,
      () => 400,
    );
    const found = verdict(config({ maxSequences: 700 }), requests);
    expect(found.verdict).toBe("overloaded");
    expect(found.sustainedRequestsPerSecond!).toBeGreaterThan((1000 * 200) / 160);
    expect(found.sustainedRequestsPerSecond!).toBeLessThan((1000 * 700) / 400);
  });

  test("a run that is interrupted long before its last arrival", () => {
    const requests = arrivals(
      20_000,
      (rng) => rng.exponential(10 / 4 / 2),
      () => 10,
    );
    let asked = 0;
    const result = simulate(
      { ...config({ maxSequences: 4 }), workload: { kind: "open", requests } },
      { shouldStop: () => ++asked === 3 },
    );
    expect(result.interrupted).toBe(true);
    expect(result.saturation.verdict).toBe("overloaded");
    expect(result.saturation.offeredRequestsPerSecond! / 800).toBeCloseTo(1, 1);
    expect(result.saturation.sustainedRequestsPerSecond! / 400).toBeCloseTo(1, 1);
  });
});

describe("a batch that takes everyone in", () => {
  // A step takes 20 us per sequence: 50,000 tokens/s, or 2,500 requests/s of 20 tokens, however many run at once.
  const shared: SimConfig = {
    ...config({ maxSequences: 8192, maxBatchTokens: 1 << 20 }),
    engine: testEngine({ stepOverheadNs: 100_000, sequenceOverheadNs: 20_000, kernelOverheadNs: 0 }),
  };
  const poisson = (n: number, perSecond: number) =>
    arrivals(
      n,
      (rng) => rng.exponential(1000 / perSecond),
      () => 20,
    );

  test.each([1.3, 2])("is overloaded at %d times its capacity, though nobody waits longer than a step", (factor) => {
    const found = verdict(shared, poisson(6000, 2400 * factor));
    expect(found.verdict).toBe("overloaded");
    expect(found.reason).toMatch(/ever more ran at once$/);
    // The prompt's step counts as one of the 20, so capacity is about 2,500 requests/s.
    expect(found.sustainedRequestsPerSecond! / 2400).toBeGreaterThan(0.85);
    expect(found.sustainedRequestsPerSecond! / 2400).toBeLessThan(1.1);
  });

  test.each([0.5, 0.8])("is stable at %d of its capacity", (factor) => {
    expect(verdict(shared, poisson(6000, 2400 * factor)).verdict).toBe("stable");
  });

  test("is not judged while it may still be filling up", () => {
    // 100 arrivals at 80 % of capacity within five times a request's time in the system.
    expect(verdict(shared, poisson(100, 2000)).verdict).toBe("stable");
  });
});
