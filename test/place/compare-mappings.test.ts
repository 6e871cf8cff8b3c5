import { beforeAll, describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { stepParts } from "../../src/place/step-parts.ts";
import { mappingComparisonPage } from "../../src/report/mapping-comparison.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import { scratch } from "../cli/command.ts";
import { compareMapped, comparePlaced, plantedRouting, text } from "./placed.ts";

const { path } = scratch();
const skewed = path("skewed.safetensors");

beforeAll(() => saveRoutingTable(plantedRouting(8, 0.6), "olmoe-1b-7b", skewed));

const named = <T extends { readonly name: string }>(all: readonly T[], name: string): T =>
  all.find((one) => one.name === name)!;

test("slices beat whole experts in small skewed steps, which wait for the busiest rank; the page says so at any width", async () => {
  const comparison = await compareMapped(text(skewed, 8, 16));
  const { mappings, verdict, leftOut, split } = comparison;
  expect(mappings.map(({ name }) => name)).toEqual(["EP8", "TP8", "EP2 x TP4", "EP4 x TP2"]);
  expect(split).toMatchObject({ by: "time", fitRows: 400, testRows: 400 });
  const [whole, sliced] = [named(mappings, "EP8"), named(mappings, "TP8")];
  expect([whole.isCurrent, whole.gain, sliced.imbalance]).toEqual([true, null, null]);
  expect(sliced.stepNs.wait).toBe(0);
  // The less of an expert group is whole experts, the less does a step wait.
  const waits = ["EP8", "EP4 x TP2", "EP2 x TP4", "TP8"].map((name) => named(mappings, name).stepNs.wait);
  expect(waits).toEqual([...waits].sort((a, b) => b - a));
  expect(sliced.gain!.time.share).toBeGreaterThan(0.01);
  expect(verdict).toMatchObject({ apply: true, name: "TP8" });
  expect(verdict.headline).toMatch(/^take TP8: .* less time a request than EP8$/);
  expect(verdict.reasons[0]).toContain("--set parallel.ep=1 --set parallel.etp=8 --set parallel.edp=1");
  expect(verdict.reasons.join("\n")).toMatch(
    /EP8 takes .* more time a request than TP8.*\n.*waiting for the busiest rank/,
  );
  // vLLM has neither copies of all experts nor anything between; the latter is simulated and no advice.
  expect(leftOut.map(({ mapping: { edp } }) => edp).every((edp) => edp > 1)).toBe(true);
  for (const { reason } of leftOut) expect(reason).toContain("parallel.edp: needs 1");
  expect(named(mappings, "EP4 x TP2").startNotes[0]).toContain("no flag");
  for (const width of [80, 120]) {
    const lines = terminalPage(mappingComparisonPage(comparison), undefined, width).split("\n");
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    for (const said of ["Simulated", "Where the time of steps goes", "not simulated", "may not start it so"])
      expect(lines.join("\n")).toContain(said);
  }
});

test("the mapping in use is the run that a comparison of maps begins with, its placement fitted on the same rows", async () => {
  const own = "policy: { placement: { kind: eplb, redundant: 8 } }";
  const more = { requests: 16, repeats: 2 };
  const { mappings } = await compareMapped(text(skewed, 8, 16, own), more);
  const { comparison } = await comparePlaced(text(skewed, 8, 16, own), { ...more, policies: ["eplb"], redundant: [8] });
  const [current] = comparison.simulated;
  expect(mappings[0]).toMatchObject({ name: "EP8", isCurrent: true });
  for (const key of ["tpotMs", "ttftMs", "tokensPerSecond", "imbalance", "kvTokens"] as const)
    expect(mappings[0]![key]).toBe(current![key]);
  // A placement of slices alone would be nothing; one of four ranks is fitted for four.
  expect(named(mappings, "TP8").set).toContain("policy.placement=null");
  const plain = await compareMapped(text(skewed, 8, 16), more);
  expect(named(mappings, "TP8").timeMs).toEqual(named(plain.mappings, "TP8").timeMs);
  expect(named(mappings, "EP4 x TP2").imbalance!).toBeLessThan(named(plain.mappings, "EP4 x TP2").imbalance!);
});

test("an engine that sends tokens to their experts tells the bytes, and refuses slices beside whole experts", async () => {
  const own = text(skewed, 8, 16).replace("id: vllm,", "id: vllm, all2allBackend: deepep_low_latency,");
  const { mappings, leftOut } = await compareMapped(own, { requests: 8, repeats: 1 });
  expect(mappings[0]!.exchange!.near).toBeGreaterThan(0);
  expect(mappings[0]!.exchange!.far).toBe(0);
  expect(leftOut.map(({ name }) => name)).toContain("EP4 x TP2");
});

test("a cache in parts along the context holds as many times the tokens as there are parts", async () => {
  const kvTokensWith = async (cpKvCache: string) => {
    const parallel = `parallel: { tp: 1, cp: 2, dp: 4, ep: 8, cpKvCache: ${cpKvCache} }`;
    // So many sequences that the memory is the limit.
    const own = text(skewed, 8, 16)
      .replace(/parallel: .*/, parallel)
      .replace("maxNumSeqs: 512", "maxNumSeqs: 4096");
    const { mappings } = await compareMapped(own, { requests: 8, repeats: 1 });
    return mappings[0]!.kvTokens;
  };
  const [whole, parts] = [await kvTokensWith("replicated"), await kvTokensWith("sharded")];
  // Blocks are whole.
  expect(parts / whole).toBeCloseTo(2, 3);
});

test("uniform routing is simulated too, and said to favour whole experts", async () => {
  const uniform = text(skewed, 8, 16).replace(/routing: .*/, "routing: { kind: uniform }");
  const { split, mappings } = await compareMapped(uniform, { requests: 8, repeats: 1 });
  expect(split.notes).toEqual([expect.stringContaining("routing is uniform")]);
  expect(mappings.length).toBe(4);
  for (const { stepNs } of mappings) for (const part of stepParts) expect(stepNs[part]).toBeGreaterThanOrEqual(0);
});

describe("refused is", () => {
  const refused = async (scenario: string, more: Parameters<typeof compareMapped>[1] = {}) => {
    const error: unknown = await compareMapped(scenario, more).catch((found: unknown) => found);
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as InvalidInputError).problems;
  };

  test("what has nothing to divide", async () => {
    const lone = text(skewed, 8, 16).replace("dp: 8, ep: 8", "dp: 1, ep: 1");
    expect(await refused(lone)).toMatchObject([{ at: "parallel", found: "1 device", line: 7 }]);
  });

  test("an option that does not go with the scenario", async () => {
    const uniform = text(skewed, 8, 16).replace(/routing: .*/, "routing: { kind: uniform }");
    expect(await refused(uniform, { fit: "code" })).toMatchObject([{ at: "--fit", found: "uniform" }]);
    expect(await refused(text(skewed, 8, 16), { test: "code" })).toMatchObject([{ at: "--test", found: "code" }]);
    expect(await refused(text(skewed, 8, 16), { solver: "lns" })).toMatchObject([{ at: "--solver", found: "lns" }]);
  });
});
