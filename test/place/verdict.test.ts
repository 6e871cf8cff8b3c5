import { expect, test } from "vitest";
import type { BalanceBound, JudgedMap, SimulatedMap, TrafficSplit } from "../../src/place/comparison.ts";
import { placementVerdict } from "../../src/place/verdict.ts";

const balance = { maxOverMean: 1.3, worst: 1.4, worstLayer: 0, balancedness: 0.8 };
const whole = { whole: balance, step: balance } as unknown as JudgedMap["fitted"];
const bound: BalanceBound = {
  batch: 64,
  judgedTokens: 64,
  step: 1.3,
  lasting: 1.2,
  chance: 1.1,
  batchNeeded: null,
  computeBoundBatch: 500,
  waitShare: 0.1,
  exchangeShare: 0.1,
  exchangeFollowsMap: true,
};
const split: TrafficSplit = { by: "time", fit: "first half", test: "second half", fitRows: 9, testRows: 9, notes: [] };

/** Steps in use: 50 of the experts' own work, 15 of waiting, 5 of fetching, 10 of exchange, 20 of the rest. */
const inUse = { experts: 50, wait: 15, fetch: 5, exchange: 10, allReduce: 0, rest: 20 };

interface Change {
  /** Time a request that is saved, and its interval. */
  readonly time: number;
  readonly halfWidth?: number;
  readonly throughput?: number;
  readonly steps?: Partial<typeof inUse>;
  readonly kvPeakShare?: number;
}

/** The verdict on maps with 8 copies that change this, by policy. */
function verdictOf(changes: Readonly<Record<string, Change>>, kvPeakShare = 0.5) {
  const simulated: SimulatedMap[] = [["contiguous", null] as const, ...Object.entries(changes)].map(
    ([policy, change]) => {
      const gain = (share: number) => ({ share, halfWidth: change?.halfWidth ?? 0.002 });
      return {
        policy,
        redundant: change === null ? 0 : 8,
        isCurrent: change === null,
        imbalance: 1.2,
        waitShare: 0.2,
        exchangeShare: 0.1,
        kvPeakShare: change?.kvPeakShare ?? kvPeakShare,
        stepNs: { ...inUse, ...change?.steps },
        ttftMs: 1,
        tpotMs: 1,
        tokensPerSecond: 1,
        kvTokens: 1,
        gain:
          change === null
            ? null
            : {
                time: gain(change.time),
                ttft: gain(change.time),
                tpot: gain(change.time),
                throughput: gain(change.throughput ?? change.time),
              },
      };
    },
  );
  const maps = simulated.map(
    ({ policy, redundant, isCurrent }) =>
      ({
        policy,
        redundant,
        isCurrent,
        fitted: whole,
        heldOut: whole,
        copyBytes: 0,
        kvTokens: 0,
        migration: { experts: 3, bytes: 3e6, ns: 1e6 },
      }) as unknown as JudgedMap,
  );
  return placementVerdict({ maps, simulated, bound, split, repeats: 3 });
}

test("the map that saves most is applied where its steps wait less", () => {
  const { apply, policy, headline, reasons } = verdictOf({
    lpt: { time: 0.05, steps: { wait: 10 } },
    eplb: { time: 0.1, steps: { wait: 3, exchange: 12 } },
  });
  expect([apply, policy]).toEqual([true, "eplb"]);
  expect(headline).toContain("10.0%");
  expect(reasons[0]).toBe(
    "its steps are shorter by waiting for the busiest rank 12.0%; longer by tokens on their way to experts and back 2.0%",
  );
  expect(reasons.join()).not.toContain("own work");
});

test("less work of the experts for as many tokens is no gain of a map", () => {
  const kernels = verdictOf({ eplb: { time: 0.06, steps: { experts: 44.5 } } });
  expect(kernels.apply).toBe(false);
  expect(kernels.headline).toMatch(/^keep contiguous: .* by its balance$/);
  expect(kernels.reasons[0]).toMatch(/^what eplb \+8 saves is the experts' own work, 5.5% less for as many tokens/);

  const both = verdictOf({ eplb: { time: 0.1, steps: { experts: 47, wait: 8 } } });
  expect(both.apply).toBe(true);
  expect(both.reasons[1]).toMatch(/^do not count on the 3.0% that the experts' own work takes less/);

  const another = verdictOf({
    eplb: { time: 0.06, steps: { experts: 44.5 } },
    lpt: { time: 0.02, steps: { wait: 13 } },
  });
  expect([another.apply, another.policy]).toEqual([true, "lpt"]);
  expect(another.reasons.join()).toContain("what eplb +8 saves");
});

test("experts that are fetched less are a gain, as waiting is", () => {
  const { apply, reasons } = verdictOf({ lpt: { time: 0.04, steps: { fetch: 1 } } });
  expect(apply).toBe(true);
  expect(reasons[0]).toBe("its steps are shorter by fetching experts 4.0%");
  expect(reasons.join()).not.toContain("own work");
});

test("copies that only crowd sequences out of the cache are no gain", () => {
  const crowded = { time: 0.05, throughput: 0.01, steps: { wait: 10 } };
  const { apply, reasons } = verdictOf({ eplb: { ...crowded, kvPeakShare: 0.99 } });
  expect(apply).toBe(false);
  expect(reasons[0]).toContain("only by leaving KV cache for fewer sequences");
  expect(verdictOf({ eplb: { ...crowded, kvPeakShare: 0.99 } }, 0.99).apply).toBe(true);
  expect(verdictOf({ eplb: { ...crowded, kvPeakShare: 0.8 } }).apply).toBe(true);
});

test("what is not told from noise is undecided, and less than a hundredth is no reason", () => {
  const wait = { steps: { wait: 10 } };
  expect(verdictOf({ eplb: { time: 0.05, halfWidth: 0.06, ...wait } }).headline).toMatch(/^undecided: eplb \+8 5.0%/);
  expect(verdictOf({ eplb: { time: 0.009, ...wait } }).headline).toMatch(/^keep contiguous/);
  expect(verdictOf({ eplb: { time: 0.011, ...wait } }).apply).toBe(true);
});
