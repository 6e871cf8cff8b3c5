import { describe, expect, test } from "vitest";
import { routers } from "../../../src/policy/router/routers.ts";
import type { ScalingView } from "../../../src/policy/scaling/scaling.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { requestValue } from "../../../src/sim/outcome/request-latencies.ts";
import { requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { testConfig, testRequests } from "../build.ts";
import { scalingBy } from "./scaled.ts";

const rows = Array.from({ length: 80 }, (_, i) => ({
  at: i * 1.3e6,
  prompt: 40 + ((i * 37) % 90),
  output: 1 + (i % 7),
}));
// One that can never fit: it is given to the pool, and rejected there.
rows[20] = { ...rows[20]!, prompt: 5000 };
const requests = testRequests(rows);

/** What a policy was told at each tick of a run. */
function watched(config: Partial<SimConfig>, watches: boolean) {
  const views: ScalingView[] = [];
  const scaling = scalingBy(
    (view) => {
      views.push(view);
      return 1 + (views.length % 3);
    },
    { startupNs: 2e6 },
    watches,
  );
  const result = simulate(testConfig({ workload: { kind: "open", requests }, replicas: 3, scaling, ...config }));
  return { views, result, lastNs: views.at(-1)!.atNs };
}
const ascending = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

describe("a scaling policy is told", () => {
  test("of every request that came before it was last asked, once", () => {
    const { views, result, lastNs } = watched({}, false);
    const came = [...result.requests.arrivalNs.keys()].filter((i) => result.requests.arrivalNs[i]! <= lastNs);
    const sum = (of: (view: ScalingView) => number) => views.reduce((total, each) => total + of(each), 0);
    expect(sum((each) => each.arrivedRequests)).toBe(came.length);
    const tokens = came.reduce((total, i) => total + rows[i]!.prompt + rows[i]!.output, 0);
    expect(sum((each) => each.arrivedTokens)).toBe(tokens);
    expect(views.every(({ latencies }) => latencies === null)).toBe(true);
  });

  test("of every latency until then, once, if it watches them; and the run is the same", () => {
    const { views, result, lastNs } = watched({}, true);
    const { requests: served } = result;
    const all = [...served.status.keys()];
    const ttft = all.filter((i) => served.firstTokenNs[i]! <= lastNs).map((i) => requestValue(served, "ttft", i));
    const tpot = all
      .filter((i) => served.lastTokenNs[i]! <= lastNs && served.status[i] === requestStatus.completed)
      .map((i) => requestValue(served, "tpot", i))
      .filter((ns) => !Number.isNaN(ns));
    expect(ascending(views.flatMap(({ latencies }) => latencies!.ttftNs))).toEqual(ascending(ttft));
    expect(ascending(views.flatMap(({ latencies }) => latencies!.tpotNs))).toEqual(ascending(tpot));
    expect(tpot.length).toBeGreaterThan(20);
    expect(served.status[20]).toBe(requestStatus.rejected);
    expect(result.requests).toEqual(watched({}, false).result.requests);
  });

  test("of what waits for its first token, and how long it has", () => {
    const { views, result } = watched({}, true);
    const { arrivalNs, firstTokenNs, status } = result.requests;
    for (const { atNs, latencies } of views) {
      const waits = [...arrivalNs.keys()].filter(
        (i) => status[i] !== requestStatus.rejected && arrivalNs[i]! <= atNs && firstTokenNs[i]! > atNs,
      );
      expect(ascending(latencies!.awaitingNs)).toEqual(ascending(waits.map((i) => atNs - arrivalNs[i]!)));
    }
    expect(views.some(({ latencies }) => latencies!.awaitingNs.length > 0)).toBe(true);
  });

  test("of the requests of its pool alone: prompts where they are computed, all of a request where it is decoded", () => {
    const told = { prefill: { requests: 0, tokens: 0 }, decode: { requests: 0, tokens: 0 } };
    const scalingOf = (sums: { requests: number; tokens: number }) =>
      scalingBy(({ arrivedRequests, arrivedTokens }) => {
        sums.requests += arrivedRequests;
        sums.tokens += arrivedTokens;
        return 1;
      });
    // A last request, long after the others and long itself, so that all are told of.
    const some = [...rows.filter(({ prompt }) => prompt < 5000), { at: 1e9, prompt: 64, output: 300 }];
    const workload = { kind: "open" as const, requests: testRequests(some) };
    const { seed: _seed, workload: _workload, warmupRequests: _warmup, ...pool } = testConfig();
    simulate({
      ...testConfig({ workload, name: "prefill", role: "prefill", scaling: scalingOf(told.prefill) }),
      otherPools: [{ ...pool, name: "decode", role: "decode", scaling: scalingOf(told.decode) }],
      handover: {
        reserves: "afterPrefill",
        transfer: "request",
        firstToken: "prefill",
        reservedOutputTokens: 0,
        tokenisesAgain: false,
        localPromptTokens: 45,
        router: routers["round-robin"],
      },
    });
    // Short prompts are the decode pool's own, and answers of one token need none.
    const prefilled = some.filter(({ prompt }) => prompt > 45);
    const decoded = some.filter(({ prompt, output }) => prompt <= 45 || output > 1);
    const sum = (values: number[]) => values.reduce((total, each) => total + each, 0);
    expect(told.prefill.requests).toBe(prefilled.length);
    expect(told.prefill.tokens).toBe(sum(prefilled.map(({ prompt }) => prompt)));
    expect(told.decode.requests).toBe(decoded.length);
    expect(told.decode.tokens).toBe(sum(decoded.map(({ prompt, output }) => prompt + output)));
  });
});
