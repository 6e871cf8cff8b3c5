import { beforeAll, describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { expertMapFormats } from "../../src/engine/expert-maps/expert-map-formats.ts";
import type { PlacementComparison } from "../../src/place/comparison.ts";
import type { Placement } from "../../src/policy/placement/placement.ts";
import { placementProblems } from "../../src/policy/placement/placement-measures.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { placementComparisonPage } from "../../src/report/placement-comparison.ts";
import { mapContext, mapOfPlacement } from "../../src/resolve/expert-map-file.ts";
import { moeShape } from "../../src/sim/mapping.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import { scratch } from "../cli/command.ts";
import { comparePlaced, plantedRouting, text } from "./placed.ts";

const { path } = scratch();
const even = path("even.safetensors");
const skewed = path("skewed.safetensors");
const shifting = path("shifting.safetensors");
const policies = ["contiguous", "lpt", "eplb"] as const;

beforeAll(async () => {
  await saveRoutingTable(plantedRouting(16, 16 / 64), "olmoe-1b-7b", even);
  await saveRoutingTable(plantedRouting(8, 0.6), "olmoe-1b-7b", skewed);
  await saveRoutingTable(plantedRouting(8, 0.6, 2, 32), "olmoe-1b-7b", shifting);
});

describe("the verdict", () => {
  test("on even traffic in small steps is to keep what there is, with the number that would have to change", async () => {
    const { comparison } = await comparePlaced(text(even, 8, 16), { policies });
    expect(comparison.verdict).toMatchObject({ apply: false, policy: "contiguous", redundant: 0 });
    expect(comparison.verdict.headline).toMatch(/^keep contiguous/);
    expect(comparison.verdict.reasons[0]).toMatch(/perfect balance of every step could save no more/);
    expect(comparison.verdict.reasons[1]).toMatch(/chance alone.*steps would have to have [\d,]+ tokens/);
    const { chance, lasting, step } = comparison.bound;
    expect(chance).toBeGreaterThan(lasting);
    expect(step).toBeCloseTo(chance, 0);
    // A single domain says nothing of topics.
    expect(comparison.topics).toEqual([]);
  });

  test("on planted skew in large steps is to apply a map, that it has found on other rows", async () => {
    const { comparison, placements } = await comparePlaced(text(skewed, 1000, 64), { policies });
    const { verdict, maps, simulated, split } = comparison;
    expect(split).toMatchObject({ by: "time", fitRows: 400, testRows: 400 });
    expect(verdict.apply).toBe(true);
    expect(verdict.headline).toMatch(/^apply .* less time a request on traffic it has not seen/);
    const [current] = maps;
    for (const map of maps.slice(1)) {
      expect(map.fitted.whole.maxOverMean).toBeLessThanOrEqual(current!.fitted.whole.maxOverMean);
      expect(map.heldOut!.whole.maxOverMean).toBeLessThan(current!.heldOut!.whole.maxOverMean / 2);
      expect(map.migration.experts).toBeGreaterThan(0);
    }
    const best = simulated.find(
      ({ policy, redundant }) => policy === verdict.policy && redundant === verdict.redundant,
    )!;
    expect(best.waitShare).toBeLessThan(simulated[0]!.waitShare / 2);
    expect(best.gain!.time.share).toBeGreaterThan(0.05);
    for (const map of placements) expect(placementProblems(map)).toEqual([]);
    const copied = simulated.filter(({ redundant }) => redundant > 0);
    expect(copied.length).toBeGreaterThan(0);
    for (const { kvTokens } of copied) expect(kvTokens).toBeLessThanOrEqual(simulated[0]!.kvTokens);
  });

  test("of single runs decides nothing", async () => {
    const { comparison } = await comparePlaced(text(skewed, 1000, 64), { policies: ["lpt"], repeats: 1 });
    expect(comparison.verdict.apply).toBe(false);
    expect(comparison.verdict.headline).toMatch(/^undecided: lpt .*a single run does not tell/);
    expect(comparison.maps.map(({ policy }) => policy)).toEqual(["contiguous", "lpt"]);
  });
});

test("topics: a map of one does not hold on another, and the split can be by topic", async () => {
  const { comparison } = await comparePlaced(text(shifting, 8, 16), {
    policies: ["lpt"],
    fit: "domain 0",
    test: "domain 1",
  });
  expect(comparison.split).toMatchObject({
    by: "topic",
    fit: "domain 0",
    test: "domain 1",
    fitRows: 400,
    testRows: 400,
  });
  const [matrix] = comparison.topics;
  expect(matrix).toMatchObject({ policy: "lpt", topics: ["domain 0", "domain 1"] });
  for (const [fit, row] of matrix!.maxOverMean.entries())
    for (const [judged, value] of row.entries()) expect(value < 1.2).toBe(fit === judged);
  const lpt = comparison.maps.find(({ policy }) => policy === "lpt")!;
  expect(lpt.heldOut!.whole.maxOverMean).toBeCloseTo(matrix!.maxOverMean[0]![1]!, 12);
});

test("the map in use is the scenario's, refitted on the same rows; what cannot be made is left out with its reason", async () => {
  const own = "policy: { placement: { kind: eplb, redundant: 16, fit: { domain: domain 0 } } }";
  const { comparison } = await comparePlaced(text(skewed, 8, 16, own), {
    policies: ["eplb"],
    redundant: [0, 8],
    test: "domain 0",
  });
  expect(comparison.current).toEqual({ policy: "eplb", redundant: 16 });
  expect(comparison.maps.map(({ redundant, isCurrent }) => [redundant, isCurrent])).toEqual([
    [0, false],
    [8, false],
    [16, true],
  ]);
  expect(comparison.split.by).toBe("none");
  expect(comparison.maps[2]!.migration).toEqual({ experts: 0, bytes: 0, ns: 0 });
  const huge = await comparePlaced(text(skewed, 8, 16).replace("h100-sxm-8", "rtx4090-8"), {
    policies: ["eplb"],
    redundant: [4096],
    repeats: 1,
  }).catch((error: unknown) => error);
  if (!(huge instanceof Error)) expect(huge).toMatchObject({ comparison: { verdict: { apply: false } } });
});

test("the map in production, from a file, is judged as the one in use, and changed by policies that change one", async () => {
  const made = await comparePlaced(text(skewed, 8, 16), { policies: ["eplb"], redundant: [8], repeats: 1 });
  const map = mapOfPlacement(made.placements[1]!, made.model);
  const context = mapContext(made.model, moeShape(made.model)!, "map.json", 8);
  const own = "policy: { placement: { kind: file, file: map.json } }";
  const { comparison, placements } = await comparePlaced(
    text(skewed, 8, 16, own),
    { policies: ["eplb", "flashlb", "swift"], repeats: 1, requests: 16 },
    { "map.json": expertMapFormats.sglang.write(map, context) },
  );
  const { maps } = comparison;
  expect(comparison.current).toEqual({ policy: "file", redundant: 8 });
  expect(placements[0]!.logicalExperts).toEqual(made.placements[1]!.logicalExperts);
  const of = (policy: string, redundant: number) =>
    maps.findIndex((one) => one.policy === policy && one.redundant === redundant);
  expect([...new Set(maps.map(({ redundant }) => redundant))]).toEqual([8, 0, 32]);
  // The same policy on the same rows makes the same map.
  expect(maps[0]!.fitted).toEqual(maps[of("eplb", 8)]!.fitted);
  expect(maps[of("eplb", 8)]!.migration.experts).toBe(0);
  expect(maps[of("eplb", 32)]!.migration.experts).toBeGreaterThan(16 * 24);
  // At most four exchanges of two copies in each of 16 layers, and eight layers that change at all.
  expect(maps[of("swift", 8)]!.migration.experts).toBeLessThanOrEqual(16 * 8);
  const changed = (index: number) =>
    Array.from({ length: 16 }, (_, layer) => layer).filter((layer) => {
      const row = (placement: Placement) => placement.logicalExperts.subarray(72 * layer, 72 * layer + 72).join();
      return row(placements[index]!) !== row(placements[0]!);
    }).length;
  expect(changed(of("flashlb", 8))).toBeLessThanOrEqual(8);
  expect(comparison.verdict).toMatchObject({ apply: false, policy: "file", redundant: 8 });
  const rebalanced = own.replace("map.json }", "map.json, rebalance: { kind: sglang, interval: 1 } }");
  const still = await comparePlaced(
    text(skewed, 8, 16, rebalanced),
    { policies: ["eplb"], redundant: [8], repeats: 1, requests: 16 },
    { "map.json": expertMapFormats.sglang.write(map, context) },
  );
  expect(still.comparison.simulated[0]).toEqual(comparison.simulated[0]);
});

test("runs dispatch among copies as the scenario says; rebalancing is left out, and both are said", async () => {
  const compared = async (keys: string) => {
    const own = `policy: { placement: { kind: eplb, redundant: 8${keys} } }`;
    const more = { policies: ["eplb"], redundant: [8], repeats: 1, requests: 16 } as const;
    return (await comparePlaced(text(skewed, 8, 16, own), more)).comparison;
  };
  const [plain, perfect] = [
    await compared(""),
    await compared(", dispatch: { kind: fake }, rebalance: { kind: vllm }"),
  ];
  expect(perfect.simulated[0]!.imbalance).toBeLessThan(plain.simulated[0]!.imbalance - 0.1);
  expect(plain.split.notes).toEqual([]);
  expect(perfect.split.notes).toEqual([
    expect.stringMatching(/maps stay from start to end: .*rebalance \(vllm\)/),
    expect.stringContaining("dispatch by fake"),
  ]);
});

const balanceTable = (comparison: PlacementComparison) =>
  placementComparisonPage(comparison).sections.find(
    (section) => section.kind === "table" && section.title === "Balance of the ranks",
  ) as { readonly rows: readonly unknown[]; readonly note: string };

test("the page fits narrow and wide terminals; of many maps it lists those simulated and the best of each policy, of few all", async () => {
  const { comparison } = await comparePlaced(text(shifting, 8, 16), { repeats: 1, requests: 8 });
  for (const width of [80, 120]) {
    const lines = terminalPage(placementComparisonPage(comparison), undefined, width).split("\n");
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    for (const title of ["Simulated", "Balance of the ranks", "Traffic, memory, migration", "fitted on one topic"])
      expect(lines.join("\n")).toContain(title);
  }
  const { rows, note } = balanceTable(comparison);
  const { maps } = comparison;
  expect(maps.length).toBeGreaterThan(rows.length);
  expect(rows.length).toBeGreaterThanOrEqual(new Set(maps.map(({ policy }) => policy)).size);
  expect(note).toContain(`${maps.length - rows.length} with other numbers of copies`);
  const few = balanceTable({ ...comparison, maps: maps.slice(0, 16) });
  expect(few.rows.length).toBe(16);
  expect(few.note).not.toContain("other numbers");
});

test("what the engine does not start is not a map to apply", async () => {
  // 64 experts do not divide by 24 ranks, which SGLang asserts.
  const sglang = text(skewed, 8, 24).replace("id: vllm", "id: sglang").replace("dp: 8, ep: 8", "dp: 24, ep: 24");
  const own = "policy: { placement: { kind: eplb, redundant: 8 } }";
  const { comparison } = await comparePlaced(`${sglang}${own}\n`, {
    policies: ["lpt", "eplb"],
    redundant: [8],
    repeats: 1,
  });
  expect(comparison.maps.map(({ policy, redundant }) => [policy, redundant])).toEqual([["eplb", 8]]);
  expect(comparison.leftOut).toMatchObject([{ policy: "lpt", reason: expect.stringContaining("divisor") as string }]);
  expect(comparison.nodes).toBe(3);
});

describe("refused is", () => {
  const refused = async (scenario: string, more: Parameters<typeof comparePlaced>[1] = {}) => {
    const error: unknown = await comparePlaced(scenario, more).catch((found: unknown) => found);
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as InvalidInputError).problems;
  };

  test("what has no map: one expert rank, routing that is not replayed", async () => {
    const lone = text(even, 8, 16).replace("dp: 8, ep: 8", "dp: 1, ep: 1");
    expect(await refused(lone)).toMatchObject([{ at: "parallel.ep", found: 1, line: 7 }]);
    const uniform = text(even, 8, 16).replace(/routing: .*/, "routing: { kind: uniform }");
    expect(await refused(uniform)).toMatchObject([{ at: "routing.kind", found: "uniform" }]);
  });

  test("an option that does not go with the scenario", async () => {
    expect(await refused(text(even, 8, 16), { redundant: [3] })).toMatchObject([{ at: "--redundant", found: 3 }]);
    expect(await refused(text(even, 8, 16), { fit: "code" })).toMatchObject([{ at: "--fit", found: "code" }]);
    expect(await refused(text(even, 8, 16), { test: "code" })).toMatchObject([{ at: "--test", found: "code" }]);
    expect(await refused(text(even, 8, 16), { policies: ["lpt"], solver: "abacus" })).toMatchObject([
      { at: "--solver", found: "abacus" },
    ]);
  });
});
