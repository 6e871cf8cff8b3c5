import fc from "fast-check";
import { expect, test } from "vitest";
import { halvesOf } from "../../../src/offload/replay/folds.ts";
import { judgeTrace } from "../../../src/offload/replay/judge-trace.ts";
import { hitsOver } from "../../../src/offload/replay/policy-table.ts";
import { routedCalls, usesOf } from "../../../src/offload/replay/routed-calls.ts";
import { cachePolicies, livePolicyNames } from "../../../src/policy/cache/caches.ts";
import type { CachePolicy } from "../../../src/policy/cache/expert-cache.ts";
import { staticTop } from "../../../src/policy/cache/static-top.ts";
import { terminalPage } from "../../../src/report/page-terminal.ts";
import { plainStyle } from "../../../src/report/text-table.ts";
import { judgementPage } from "../../../src/report/trace-judgement-page.ts";
import { drawn } from "../../drawn.ts";
import { markovRouting } from "../../trace/markov-routing.ts";
import { anyTable, tokensTable } from "./tables.ts";

const options = { batch: 1, scope: "layer", expert: null } as const;
const recorded = markovRouting({
  experts: 16,
  topK: 2,
  layers: 3,
  domains: 2,
  sequences: 3,
  sequenceTokens: 40,
  keep: 0.4,
  follow: 0.3,
  seed: 5,
});

/** Whether a policy loads nothing before the run. */
const startsEmpty = (name: string): boolean =>
  !(cachePolicies as Readonly<Record<string, CachePolicy>>)[name]!.needs.includes("popularity");

test("no policy that evicts hits more than Belady, nor Belady more than with bypassing; causes add up to the misses", () => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 1, max: 3 }), (table, batch) => {
      const judged = judgeTrace(table, { ...options, batch });
      const rows = new Map(judged.policies.map((policy) => [policy.name, policy]));
      const live = [...rows.keys()].filter((name) => rows.get(name)!.role === "policy");
      expect([...live, ...judged.leftOut.map(({ name }) => name)].sort()).toEqual([...livePolicyNames].sort());
      for (const [at, size] of judged.sizes.entries()) {
        const [must, free] = [rows.get("belady")!.hits[at]!, rows.get("belady, bypassing")!.hits[at]!];
        expect(free).toBeGreaterThanOrEqual(must);
        for (const name of live) if (startsEmpty(name)) expect(rows.get(name)!.hits[at]).toBeLessThanOrEqual(must);
        expect(rows.get("static")!.hits[at]).toBeLessThanOrEqual(rows.get("best fixed set")!.hits[at]!);
        const { cold, capacity, policy } = size.causes;
        expect(cold + capacity + policy).toBeCloseTo(1 - size.bestHitRate, 10);
        expect(size.bestHitRate).toBe(Math.max(...live.map((name) => rows.get(name)!.hitRate[at]!)));
        expect(judged.curves.lru[size.slots]).toBe(rows.get("lru")!.hitRate[at]);
        expect(judged.curves.beladyBypassing[size.slots]).toBe(rows.get("belady, bypassing")!.hitRate[at]);
        const optimum = judged.curves.belady[size.slots];
        if (optimum !== null) expect(optimum).toBe(rows.get("belady")!.hitRate[at]);
      }
    }),
    { numRuns: drawn(25) },
  );
});

test("a fixed set is fitted on the half that it is not judged on", () => {
  const [a, b] = halvesOf(recorded)!.map((half) => routedCalls(half, 1));
  const crossed = [
    { calls: a!, fitted: usesOf(b!) },
    { calls: b!, fitted: usesOf(a!) },
  ];
  const judged = judgeTrace(recorded, { ...options, slots: [4] });
  const row = judged.policies.find(({ name }) => name === "static")!;
  expect(row.hits).toEqual([hitsOver(crossed, staticTop, "layer", 4)]);
  expect(judged.policies.find(({ name }) => name === "best fixed set")!.hits[0]).toBeGreaterThan(row.hits[0]!);
});

test("sequences side by side are no more than a half has, and a shared cache is judged over all layers", () => {
  const judged = judgeTrace(recorded, { ...options, batch: 8, scope: "global" });
  expect(judged.batch).toEqual({ asked: 8, served: 2 });
  expect(judged.curves.lru).toHaveLength(17);
  expect(judged.call.max).toBe(4);
  expect(judged.leftOut.filter(({ reason }) => reason.includes("global"))).toEqual([]);
  for (const [at, { slots }] of judged.sizes.entries())
    expect(judged.curves.lru[slots]).toBe(judged.policies.find(({ name }) => name === "lru")!.hitRate[at]);
});

test("bytes of misses are misses times the bytes of an expert", () => {
  const expert = { model: "m", format: "bf16", bytes: 1000 };
  const { policies, accesses, rows } = judgeTrace(recorded, { ...options, expert });
  for (const { hits, missBytesPerToken } of policies)
    expect(missBytesPerToken).toEqual(hits.map((count) => ((accesses - count) * 1000) / rows));
});

test("impossible sizes and a trace of one token are refused", () => {
  expect(() => judgeTrace(recorded, { ...options, slots: [4, 17] })).toThrow(/--slots: .*1 to 16.*17/);
  expect(() => judgeTrace(tokensTable([[[0, 1]]], 4, [1]), options)).toThrow(/at least two tokens/);
});

test("a set loaded beforehand may hit what the optimum misses, which starts empty, and the page says so", () => {
  const turn = (row: number) => [row % 2 === 0 ? [0, 1] : [2, 3]];
  const table = tokensTable(
    Array.from({ length: 40 }, (_, row) => turn(row)),
    6,
    [20, 20],
  );
  const judged = judgeTrace(table, { ...options, slots: [2] });
  // Both halves ask for 0 1 and 2 3 in turn: with two slots nothing is there that is asked for, but for half of it with static.
  expect(judged.verdict).toMatchObject({ best: "static", bestHitRate: 0.5, gapToBelady: -0.5, from: "working set" });
  expect(judged.verdict.causes).toEqual({ cold: 0.1, capacity: 0.9, policy: -0.5 });
  const page = terminalPage(judgementPage(judged), plainStyle, 200);
  expect(page).toContain("90.0 Belady's optimum misses too, less 50.0 that it misses and a set loaded beforehand hits");
  expect(page).toContain("no policy more than 0.0");
});

test("the page keeps to 80 columns, marks the best policy of each size and names every policy", () => {
  const expert = { model: "some model", format: "bf16", bytes: 3e8 };
  for (const batch of [1, 8]) {
    const judged = judgeTrace(recorded, { ...options, batch, expert, slots: [2, 4, 12] });
    const lines = terminalPage(judgementPage(judged), plainStyle, 80).trimEnd().split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    for (const { name } of judged.policies) expect(lines.some((line) => line.startsWith(`  ${name} `))).toBe(true);
    for (const { name } of judged.leftOut) expect(lines.join(" ")).toContain(name);
    for (const [at, { best }] of judged.sizes.entries()) {
      const row = lines.find((line) => line.startsWith(`  ${best} `))!;
      expect(row.trim().split(/ {2,}/).slice(1)[at]).toMatch(/\*$/);
    }
    expect(lines.join(" ")).toContain("Policy or working set");
    expect(lines.length).toBeLessThan(64 + livePolicyNames.length);
  }
});
