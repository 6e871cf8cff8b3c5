import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { testConfig, testEngine, testRequests } from "./build.ts";

const long = { at: 0, prompt: 40, output: 60 };

/** A run of one long request and one that arrives later; and the times at which steps begin without the second. */
function run(recvInterval: number, schedulesAhead: boolean, late: number | null) {
  const engine = testEngine({ schedulesAhead, requestOverheadNs: 0, promptTokenOverheadNs: 0, promptTokenDelayNs: 0 });
  const requests = testRequests(late === null ? [long] : [long, { at: late, prompt: 8, output: 3 }]);
  const scheduler = { ...engine.defaults, recvInterval, contextTokensMax: 4096 };
  const begins = [0];
  const result = simulate(
    testConfig({ engine, scheduler, routing: { kind: "uniform" }, workload: { kind: "open", requests } }),
    { onStep: (ns) => begins.push(begins.at(-1)! + ns) },
  );
  return { begins, requests: result.requests };
}

describe("a request that reaches a busy scheduler", () => {
  const rng = new RandomStream(7, "intake");
  const cases = Array.from({ length: 40 }, (_, i) => ({
    interval: [1, 2, 5, 13][i % 4]!,
    ahead: i % 8 > 3,
    inStep: rng.below(40),
    share: rng.below(100) / 100,
  }));

  test.each(cases)("joins the step after the scheduler looks: %o", ({ interval, ahead, inStep, share }) => {
    const { begins } = run(interval, ahead, null);
    const [from, to] = [begins[inStep]!, begins[inStep + 1]!];
    const at = Math.round(from + Math.max(0.01, share) * (to - from));
    // The first step computes the prompt. Where steps are formed ahead, the scheduler looks as it begins, else as it ends.
    let joins = 1;
    const looks = (step: number) => begins[ahead ? step - 1 : step]!;
    while (looks(joins) < at) joins += interval;
    expect(run(interval, ahead, at).requests.scheduledNs[1]).toBe(begins[joins]);
  });
});

test("a request that reaches an idle scheduler waits for no step", () => {
  const ends = run(1, false, null).requests.lastTokenNs[0]!;
  for (const [interval, ahead] of [
    [1, true],
    [30, false],
    [30, true],
  ] as const)
    for (const at of [ends, ends + 12_345]) {
      const { requests } = run(interval, ahead, at);
      expect(requests.scheduledNs[1]).toBe(requests.arrivalNs[1]);
    }
});

test("more requests than one look takes are served in the order they came", () => {
  const engine = testEngine({ schedulesAhead: true });
  const scheduler = { ...engine.defaults, recvInterval: 4, contextTokensMax: 4096 };
  const rows = Array.from({ length: 30 }, (_, i) => ({ at: 50_000 * i, prompt: 10 + (i % 7), output: 5 }));
  const { requests } = simulate(
    testConfig({ engine, scheduler, workload: { kind: "open", requests: testRequests(rows) } }),
  );
  expect([...requests.scheduledNs]).toEqual([...requests.scheduledNs].sort((a, b) => a - b));
});
