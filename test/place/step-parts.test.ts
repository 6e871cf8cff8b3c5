import { expect, test } from "vitest";
import type { PlacedRun } from "../../src/place/placed-runs.ts";
import { partsInWords, stepSum, stepTimes } from "../../src/place/step-parts.ts";
import { timeComponents } from "../../src/sim/result.ts";

/** A run of 10 tokens in which one component took so long. */
const runOf = (component: string, ns: number): PlacedRun =>
  ({
    run: {
      promptTokensComputed: 6,
      outputTokens: 4,
      time: Object.fromEntries(timeComponents.map((name) => [name, name === component ? ns : 0])),
    },
  }) as unknown as PlacedRun;

test("every component of time is in one part, by token; fetching is no work, and shared experts are", () => {
  for (const component of timeComponents) expect(stepSum(stepTimes([runOf(component, 50)]))).toBe(5);
  const partOf = (component: string) =>
    Object.entries(stepTimes([runOf(component, 50)])).flatMap(([part, ns]) => (ns > 0 ? [part] : []));
  expect(["experts", "sharedExperts", "expertFetch", "expertWait", "combine", "attention"].flatMap(partOf)).toEqual([
    "experts",
    "experts",
    "fetch",
    "wait",
    "exchange",
    "rest",
  ]);
});

test("what differs by less than half a percent of a step explains nothing", () => {
  const before = { experts: 50, wait: 20, fetch: 0, exchange: 10, allReduce: 0, rest: 20 };
  expect(partsInWords(before, { ...before, wait: 19.6, exchange: 12 })).toEqual({
    longer: "tokens on their way to experts and back 2.0%",
    shorter: "",
  });
});
