import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../../src/core/random.ts";
import { routers } from "../../../../src/policy/router/routers.ts";
import type { SimConfig } from "../../../../src/sim/config.ts";
import { CountPath } from "../../../../src/sim/outcome/load/count-path.ts";
import { judgeLoad } from "../../../../src/sim/outcome/load/judge-load.ts";
import { type LoadMeasures, measureLoad } from "../../../../src/sim/outcome/load/load-measures.ts";
import { loadRows } from "../../../../src/sim/outcome/load/load-rows.ts";
import { requestsNeeded } from "../../../../src/sim/outcome/load/requests-needed.ts";
import { limits } from "../../../../src/sim/outcome/load/verdict-limits.ts";
import { simulate } from "../../../../src/sim/simulate.ts";
import { further } from "../../../drawn.ts";
import { fakeRun } from "../../../forecast/fake-run.ts";
import { testConfig, testEngine, testNode, testRequests, testRouting, tinyModel } from "../../build.ts";
import { knownDeployments, verdictAt } from "./known-capacity.ts";

const stepNs = 1_000_000;

/** Steps of one millisecond: a data-parallel rank completes maxSequences tokens a step. */
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
  judgeLoad(simulate({ ...base, workload: { kind: "open", requests } }));

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

describe("too short to tell", () => {
  test("a burst at the end of a calm run: nobody knows what comes next", () => {
    const requests = arrivals(
      1000,
      (_, i) => (i < 800 ? 1 : 0.01),
      () => 2,
    );
    expect(verdict(config({ maxSequences: 4 }), requests).verdict).toBe("tooShort");
  });

  test("a queue left by a burst at the start, of which a run four times its length has seen little", () => {
    const requests = arrivals(
      1400,
      (_, i) => (i < 300 ? 0 : 0.52),
      () => 2,
    );
    const found = verdict(config({ maxSequences: 4 }), requests);
    expect(found.verdict).toBe("tooShort");
    expect(found.reason).toMatch(/15 are needed$/);
  });

  test("a handful of requests, and arrivals within a few times what a request takes", () => {
    const few = (n: number, output: number) =>
      verdict(
        config({ maxSequences: 4096 }),
        arrivals(
          n,
          (rng) => rng.exponential(1),
          () => output,
        ),
      );
    expect(few(29, 1)).toMatchObject({ verdict: "tooShort", requestsNeeded: 200 });
    expect(few(1000, 400)).toMatchObject({ verdict: "tooShort", sustainedRequestsPerSecond: null });
  });

  test.each([
    [100, 0.8] as const,
    [100, 1.3] as const,
    ...further([
      [300, 0.8],
      [300, 1.2],
    ] as const),
  ])("%d requests at %d of capacity: the number of requests it asks for gives the verdict", (n, load) => {
    let asked = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const run = (count: number) => {
        const rng = new RandomStream(seed, "arrivals");
        let at = 0;
        return verdict(
          config({ maxSequences: 4 }),
          testRequests(
            Array.from({ length: count }, () => {
              at += Math.round(rng.exponential(2.5 / load) * stepNs);
              return { at, prompt: 10, output: 10 };
            }),
          ),
        );
      };
      const { verdict: found, requestsNeeded } = run(n);
      if (found !== "tooShort" || requestsNeeded === null) continue;
      asked++;
      expect([seed, requestsNeeded, run(requestsNeeded).verdict]).toEqual([
        seed,
        requestsNeeded,
        load < 1 ? "stable" : "overloaded",
      ]);
    }
    expect(asked).toBeGreaterThan(2);
  });
});

describe("a closed loop", () => {
  const clients = (n: number, concurrency: number) =>
    judgeLoad(
      simulate({
        ...config({ maxSequences: 4 }),
        workload: {
          kind: "closed",
          concurrency,
          requests: arrivals(
            n,
            () => 0,
            () => 3,
          ),
        },
      }),
    );

  test("is never overloaded, however many clients wait", () => {
    expect(clients(400, 64)).toMatchObject({ verdict: "stable", loop: "closed", offeredRequestsPerSecond: null });
  });

  test("is too short with fewer than five requests of every client, and says how many would do", () => {
    expect(clients(319, 64)).toMatchObject({ verdict: "tooShort", requestsNeeded: 320 });
    expect(clients(320, 64).verdict).toBe("stable");
  });
});

describe("the number of requests that would do", () => {
  const unsettled = {
    requests: 1000,
    offered: 1,
    waitingGrowth: 0,
    growth: 0,
    waiting: { from: 0, to: 0 },
    inSystem: { from: 0, to: 0 },
    batchExcess: 0,
    batchReserve: 0,
    wander: 100 * limits.wander,
    turnovers: 10 * limits.turnovers,
    growthFromNs: 0,
    waitingSinceNs: 0,
  };
  const needed = (parts: Partial<LoadMeasures>) => requestsNeeded({ ...unsettled, ...parts });

  test("is three times what the score lacks, squared: chance falls with the root of the requests", () => {
    expect(needed({ wander: 2 * limits.wander })).toBe(3 * 4 * 1000);
    expect(needed({ batchReserve: limits.reserve / 3 })).toBe(3 * 9 * 1000);
    // One standard deviation of what piled up may be chance.
    expect(needed({ waitingGrowth: 1 + limits.growth / 2 })).toBe(3 * 4 * 1000);
    expect(needed({ growth: 1 + limits.growth / 2, batchExcess: 1 })).toBe(3 * 4 * 1000);
    expect(needed({ growth: 1 + limits.growth / 2 })).toBeNull();
  });

  test("is that of the verdict that comes first, in a run of enough turnovers, and none beyond forty times the run", () => {
    expect(needed({ wander: 3 * limits.wander, batchReserve: limits.reserve / 2 })).toBe(3 * 4 * 1000);
    expect(needed({ wander: limits.wander, turnovers: limits.turnovers / 5 })).toBe(3 * 5 * 1000);
    expect(needed({ wander: 3.6 * limits.wander })).toBe(39_000);
    expect(needed({ wander: 3.7 * limits.wander })).toBeNull();
    expect(needed({ requests: 31, wander: limits.wander })).toBe(limits.requestsFirst);
  });
});

test("the offered rate is that of the gaps: n arrivals span n - 1 of them", () => {
  for (const n of [2, 40]) {
    const run = fakeRun(
      Array.from({ length: n }, (_, i) => ({ arrivalMs: 500 + 4 * i, e2eMs: 50 })),
      {
        load: { kind: "open" },
      },
    );
    expect(judgeLoad(run).offeredRequestsPerSecond).toBeCloseTo(250, 9);
    expect(measureLoad(loadRows(run.requests)).offered).toBeCloseTo(250 / 1e9, 18);
  }
});

describe("overloaded, with the rate it sustains", () => {
  test("steady arrivals above capacity, as soon as the queue has grown by more than arrivals could by chance", () => {
    const requests = arrivals(
      40,
      () => 1,
      () => 5,
    );
    expect(verdict(config({ maxSequences: 4 }), requests).verdict).toBe("overloaded");
  });

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
    const judged = judgeLoad(result);
    expect(judged.verdict).toBe("overloaded");
    expect(judged.offeredRequestsPerSecond! / 800).toBeCloseTo(1, 1);
    expect(judged.sustainedRequestsPerSecond! / 400).toBeCloseTo(1, 1);
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
    expect(found.reason).toMatch(/that run at once grew/);
    // The prompt's step counts as one of the 20, so capacity is about 2,500 requests/s.
    expect(found.sustainedRequestsPerSecond! / 2400).toBeGreaterThan(0.85);
    expect(found.sustainedRequestsPerSecond! / 2400).toBeLessThan(1.1);
  });

  test.each([0.5, 0.8])("is stable at %d of its capacity", (factor) => {
    expect(verdict(shared, poisson(6000, 2400 * factor)).verdict).toBe("stable");
  });

  test("is not judged while it may still be filling up", () => {
    // 100 arrivals at 80 % of capacity within five times a request's time in the system.
    expect(verdict(shared, poisson(100, 2000)).verdict).toBe("tooShort");
  });
});

describe("against known capacities", () => {
  test.each(["one token at a time", "four sequences of ten steps", "a batch of 16, each sequence costs"])(
    "%s: never stable above 1.05 times, never overloaded below 0.9 times, and told with a thousand requests at half and twice",
    (name) => {
      const known = knownDeployments[name]!();
      for (const load of [0.5, 0.8, 0.89, 1.06, 1.2, 2])
        for (const n of [100, 300, 1000])
          for (const seed of [11, ...further([12, 13])]) {
            const { verdict: found } = verdictAt(known, load, n, seed);
            const never = load > 1.05 ? "stable" : "overloaded";
            expect([load, n, seed, found]).not.toEqual([load, n, seed, never]);
            if (n === 1000 && load === 0.5) expect(found).toBe("stable");
            if (n === 1000 && load === 2) expect(found).toBe("overloaded");
          }
    },
  );

  test("300 requests at 10/s, of which none of the second half completes before the last, where 3.6/s are sustained", () => {
    const base = config({ maxSequences: 1024, maxBatchTokens: 1 << 20 });
    const engine = testEngine({ stepOverheadNs: 10_000_000, sequenceOverheadNs: 1e9 / 3.6 / 400, kernelOverheadNs: 0 });
    const requests = arrivals(
      300,
      (rng) => rng.exponential(100),
      () => 400,
    );
    const { lastTokenNs } = simulate({ ...base, engine, workload: { kind: "open", requests } }).requests;
    expect(lastTokenNs.subarray(150).every((at) => at > requests.arrivalNs[299]!)).toBe(true);
    expect(verdict({ ...base, engine }, requests).verdict).not.toBe("stable");
  });

  test("1,200 requests whose median waits for 41 s", () => {
    // 4 sequences of 10 steps of 100 ms serve 4/s; 8.5% more arrive.
    const engine = testEngine({ stepOverheadNs: 100_000_000, sequenceOverheadNs: 0, kernelOverheadNs: 0 });
    const base = { ...config({ maxSequences: 4 }), engine };
    const requests = arrivals(
      1200,
      (rng) => rng.exponential(250 / 1.3),
      () => 10,
    );
    const { firstTokenNs, arrivalNs } = simulate({ ...base, workload: { kind: "open", requests } }).requests;
    expect(firstTokenNs[600]! - arrivalNs[600]!).toBeGreaterThan(30e9);
    expect(verdict(base, requests)).toMatchObject({ verdict: "overloaded" });
  });
});

describe("what the verdict rests on", () => {
  test("counts are inside from entering until leaving, without end where nothing leaves", () => {
    const path = new CountPath(Float64Array.of(10, 20, 40), Float64Array.of(30, 35, Number.NaN));
    expect([9, 10, 25, 30, 36, 40, 1e9].map((at) => path.at(at))).toEqual([0, 1, 2, 1, 0, 1, 1]);
    // 1 for 10, 2 for 10, 1 for 5, 0 for 5: 35 over 30.
    expect(path.mean(10, 40)).toBeCloseTo(35 / 30, 12);
    expect(path.mean(25, 25)).toBe(2);
    expect([path.lastEmptyNs(25), path.lastEmptyNs(37), path.lastEmptyNs(50)]).toEqual([10, 37, 40]);
    expect(new CountPath(new Float64Array(0), new Float64Array(0)).at(5)).toBe(0);
  });

  test("a request that is tokenised late waits, whatever keeps it: the front end counts as the deployment", () => {
    // One tokeniser for 10-token prompts at 1 ms each serves 100/s; the engine would serve 400/s.
    const base = config({ maxSequences: 4 });
    const engine = { ...base.engine, promptTokenOverheadNs: 1_000_000 };
    const requests = arrivals(
      1000,
      (rng) => rng.exponential(5),
      () => 2,
    );
    expect(verdict(base, requests).verdict).toBe("stable");
    const found = verdict({ ...base, engine }, requests);
    expect(found).toMatchObject({ verdict: "overloaded" });
    expect(found.sustainedRequestsPerSecond! / 100).toBeCloseTo(1, 1);
  });

  test("late settling is advice on the warm-up, not another verdict", () => {
    const level = (e2eMs: (at: number) => number) =>
      judgeLoad(fakeRun(Array.from({ length: 400 }, (_, at) => ({ arrivalMs: at * 10, e2eMs: e2eMs(at) }))));
    const late = level((at) => (at < 100 ? 2000 - at * 10 : 100 + ((at * 37) % 11)));
    expect(late.verdict).toBe("stable");
    expect(late.reason).toMatch(/settle only after \d+ of 400 counted requests \(MSER-5\): raise warmup$/);
    expect(level((at) => 100 + ((at * 37) % 11)).reason).not.toContain("MSER-5");
  });
});
