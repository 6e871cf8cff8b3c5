import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { saveCounts, saveRoutingTable } from "../../src/trace/save-routing.ts";
import { further } from "../drawn.ts";
import { plantedRouting, text } from "../place/placed.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
const trace = path("skewed.safetensors");
const counts = path("counts.safetensors");
const shipped = join(import.meta.dirname, "..", "..", "scenarios");
let scenario = "";

beforeAll(async () => {
  const table = plantedRouting(8, 0.6, 2, 32);
  await saveRoutingTable(table, "olmoe-1b-7b", trace);
  await saveCounts(table, "olmoe-1b-7b", counts);
  scenario = write("placed.yaml", text(trace, 500, 32));
});

const place = (...words: string[]) =>
  moecast(["place", scenario, "--repeats", "2", "--requests", "16", "-q", ...words]);

describe("place", () => {
  test("writes the map of its verdict, as SGLang reads it, and the same bytes again", async () => {
    const out = path("map.json");
    const words = ["--policy", "lpt", "--json", "-o", out];
    const first = await place(...words);
    expect([first.code, first.err]).toEqual([0, expect.stringContaining("map.json: the map of lpt")]);
    const document = JSON.parse(first.out) as Record<string, unknown>;
    expect(document).toMatchObject({
      kind: "placement-comparison",
      schemaVersion: 1,
      verdict: { apply: true, policy: "lpt", redundant: 0 },
    });
    const map = JSON.parse(readFileSync(out, "utf8")) as { physical_to_logical_map: number[][] };
    expect(map.physical_to_logical_map).toHaveLength(16);
    for (const layer of map.physical_to_logical_map)
      expect([...layer].sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, expert) => expert));
    expect((await place(...words)).out).toBe(first.out);
  });

  test("writes every format that can state the map, and each is read back as the same map", async () => {
    // A policy that is the scenario's own and alone: what is kept is its map.
    const own = ["--repeats", "1", "--requests", "2", "--policy", "lpt", "--set", "policy.placement.kind=lpt"];
    const formats: readonly (readonly [string, string, string])[] = [
      ["sglang", "a.json", "--init-expert-location"],
      ["vllm-ascend", "c.json", "expert_map_path"],
      ...further<readonly [string, string, string]>([
        ["tensorrt-llm", "b.yaml", "load_balancer"],
        ["exflow", "d.csv", "no serving engine takes it"],
      ]),
    ];
    for (const [format, name, told] of formats) {
      const { code, err } = await place(...own, "--format", format, "-o", path(name));
      expect([code, err]).toEqual([0, expect.stringContaining(`${name}: the map of lpt as ${format}\n  `)]);
      expect(err).toContain(told);
      const inspected = await moecast([
        ...["map", "inspect", path(name), "--model", "olmoe-1b-7b", "--ranks", "8", "--json"],
        ...["--from", path("a.json")],
      ]);
      const found = JSON.parse(inspected.out) as Record<string, unknown>;
      expect(found).toMatchObject({ format, layers: 16, slots: 64, ranks: 8, moves: { moved: 0, of: 16 * 64 } });
    }
    const flags = await place(...own, "--format", "vllm", "-o", path("flags.txt"));
    expect([flags.code, flags.err]).toEqual([3, expect.stringContaining("vLLM takes no file of any other")]);
    expect(flags.out).toContain("keep lpt");
    const linear = ["--set", "policy.placement.kind=contiguous", "--policy", "contiguous", "--format", "vllm"];
    await place(...own, ...linear, "-o", path("flags.txt"));
    expect(readFileSync(path("flags.txt"), "utf8")).toContain("--expert-placement-strategy linear");
  });

  test("compares mappings where that is asked for, and takes no option of maps then", async () => {
    const { code, out } = await place("--mappings", "--json", "--requests", "8", "--repeats", "1");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      kind: "mapping-comparison",
      schemaVersion: 1,
      mappings: [{ name: "EP8", isCurrent: true }, { name: "TP8" }, { name: "EP2 x TP4" }, { name: "EP4 x TP2" }],
    });
    for (const words of [["--policy", "lpt"], ["--all"], ["--batch", "9"], ["-o", path("x.json")]])
      expect(await place("--mappings", ...words)).toMatchObject({ code: 2, out: "" });
  });

  test("refuses what it cannot do with one message", async () => {
    const refused = async (...words: string[]) => {
      const { code, out, err } = await place(...words);
      expect([out, err.trimEnd().split("\n").length]).toEqual(["", 1]);
      return [code, err];
    };
    expect(await refused("--policy", "lptt")).toEqual([2, expect.stringContaining('did you mean "lpt"')]);
    expect(await refused("--redundant", "7")).toEqual([3, expect.stringContaining("multiple of ep 8")]);
    expect(await refused("--redundant", "-1")).toEqual([2, expect.stringContaining("whole number")]);
    expect(await refused("--fit", "domain 9")).toEqual([3, expect.stringContaining("--fit")]);
    expect(await refused("-o", path("no/such/map.json"))).toEqual([2, expect.stringContaining("no/such")]);
    expect(await refused("--format", "sglang")).toEqual([2, expect.stringContaining("--format needs -o")]);
    expect(await refused("--format", "sglan", "-o", path("x.json"))).toEqual([2, expect.stringContaining("sglang")]);
    expect(await refused("-o", path("x.yaml"))).toEqual([2, expect.stringContaining("ends in .json")]);
    expect(await refused("--set", "parallel={tp: 8, etp: 8}")).toEqual([
      3,
      expect.stringContaining("at least 2 expert ranks"),
    ]);
  });

  test("judges the shipped recording: small steps are not worth a map", async () => {
    const { code, out } = await moecast(
      ["place", join(shipped, "placement-ep8.yaml"), "--requests", "24", "--repeats", "2", "--policy", "lpt", "-q"],
      { cwd: shipped },
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^keep contiguous: no map/m);
  });
});

describe("trace stats --diagnose eplb", () => {
  const diagnose = (...words: string[]) => moecast(["trace", "stats", ...words]);

  test("of tokens and of counts, which tell loads alone and say so", async () => {
    const tokens = await diagnose(trace, "--diagnose", "eplb", "--json");
    expect(tokens.code).toBe(0);
    const found = JSON.parse(tokens.out) as { kind: string; trace: string; steps: { recorded: number | null }[] };
    expect([found.kind, found.trace]).toEqual(["placement-diagnosis", "tokens"]);
    expect(found.steps.some(({ recorded }) => recorded !== null)).toBe(true);
    const { code, out } = await diagnose(counts, "--diagnose", "eplb", "--ep", "4");
    expect(code).toBe(0);
    expect(out).toContain("Counts tell loads alone");
    expect(out).not.toContain("in order, recorded");
  });

  test("options that do not apply are usage errors, values that do not fit invalid input", async () => {
    expect(await diagnose(trace, "--ep", "4")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--ep need") as string,
    });
    expect(await diagnose(trace, "--diagnose", "eplb", "--slots", "4")).toMatchObject({ code: 2 });
    expect(await diagnose(trace, "--diagnose", "lplb")).toMatchObject({ code: 2 });
    expect(await diagnose(trace, "--diagnose", "eplb", "--ep", "99")).toMatchObject({ code: 3 });
    expect(await diagnose(counts, "--diagnose", "eplb", "--domain", "none")).toMatchObject({ code: 3 });
    expect(await diagnose(trace, "--diagnose", "eplb", "--model", "mixtral-8x7b")).toMatchObject({ code: 3 });
    expect(await diagnose(trace, "--diagnose", "eplb", "--model", "olmoe-1b-7b")).toMatchObject({ code: 0 });
    expect(await diagnose(trace, "--diagnose", "eplb", "--model", "nosuch")).toMatchObject({ code: 3 });
  });
});
