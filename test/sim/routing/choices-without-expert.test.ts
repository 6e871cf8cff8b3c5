import { expect, test } from "vitest";
import { InvariantError } from "../../../src/core/errors.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { LoadStatistics } from "../../../src/sim/routing/load-statistics.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { singleDevice, testConfig, testOffload, testRequests, testRouting, withoutSome } from "../build.ts";

const requests = testRequests(
  Array.from({ length: 12 }, (_, i) => ({ at: i * 2e6, prompt: 20 + 31 * i, output: 5 + i })),
);
const tokens = requests.promptTokens.reduce((sum, prompt, i) => sum + prompt + requests.outputTokens[i]! - 1, 0);
const whole = testRouting();
const ranks = { ...singleDevice, dp: 2, ep: 2 };

const run = (table: RoutingTable, overrides: Parameters<typeof testConfig>[0] = {}): RunResult =>
  simulate(
    testConfig({
      workload: { kind: "open", requests },
      routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
      ...overrides,
    }),
  );
const bytesOf = ({ resources }: RunResult) => resources.find(({ name }) => name === "device interconnect")?.bytes ?? 0;

test("routed choices and those without an expert add up to tokens x k in every layer", () => {
  for (const share of [0.1, 0.5, 1]) {
    const table = withoutSome(whole, share);
    const result = run(table);
    expect(result.layers).toHaveLength(4);
    for (const { pairs, withoutExpert = 0 } of result.layers) expect(pairs + withoutExpert).toBe(tokens * table.topK);
    expect(result.laws["expert-counts"]).toBe(4 * result.steps);
  }
  const topicOf = ({ ledger }: RunResult) => ledger.find(({ topic }) => topic === "choices without an expert")?.detail;
  expect(topicOf(run(withoutSome(whole, 1)))).toMatch(/^100.0%/);
  expect(run(whole).layers[0]).not.toHaveProperty("withoutExpert");
  expect(topicOf(run(whole))).toBeUndefined();
});

test("a step whose counts do not add up breaks the law", () => {
  const step = { layers: 1, ranks: 2, pairs: Float64Array.of(3, 4), distinct: Float64Array.of(2, 2) };
  new LoadStatistics(1, 2).addStep({ ...step, none: Float64Array.of(1), shares: new Float64Array(0) }, 4, 2, 0);
  for (const none of [0, 2])
    expect(() =>
      new LoadStatistics(1, 2).addStep({ ...step, none: Float64Array.of(none), shares: new Float64Array(0) }, 4, 2, 0),
    ).toThrow(InvariantError);
});

test("with fewer choices fewer experts are computed, fewer bytes travel and the run ends no later", () => {
  const results = [0, 0.3, 0.8, 1].map((share) => run(withoutSome(whole, share), { mapping: ranks }));
  for (const [i, result] of results.slice(1).entries()) {
    const before = results[i]!;
    expect(result.time.experts).toBeLessThan(before.time.experts);
    expect(bytesOf(result)).toBeLessThan(bytesOf(before));
    expect(result.endNs).toBeLessThanOrEqual(before.endNs);
    expect(result.layers[0]!.distinctExperts).toBeLessThan(before.layers[0]!.distinctExperts);
  }
  // Without any expert a layer is in balance, and a step visits none.
  const [none] = results.at(-1)!.layers;
  expect(none).toMatchObject({ imbalance: 1, imbalanceMax: 1, expertSkew: 1, distinctExperts: 0, pairs: 0 });
  expect(results.at(-1)!.rankLoad).toEqual([1, 1]);
});

test("an expert cache is asked for experts only", () => {
  const offload = testOffload({ slots: 3, logAccessesMax: 1e6 });
  const all = run(whole, { offload }).cache!;
  const some = run(withoutSome(whole, 0.5), { offload }).cache!;
  expect(some.accesses).toBeLessThan(all.accesses);
  expect(some.reference!.accesses).toBe(some.accesses);
  expect(run(withoutSome(whole, 1), { offload }).cache!.accesses).toBe(0);
});
