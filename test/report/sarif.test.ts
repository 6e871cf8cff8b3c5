import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exitCodes, type Problem } from "../../src/core/errors.ts";
import type { ScenarioFailure } from "../../src/report/exporter.ts";
import { fileUri } from "../../src/report/file-uri.ts";
import { sarifExport } from "../../src/report/sarif.ts";
import { scratch } from "../cli/command.ts";
import { moecast } from "../cli/in-process.ts";
import { forecast } from "./build.ts";
import { validSarif } from "./valid-sarif.ts";

const read = (...failures: readonly ScenarioFailure[]) => validSarif(sarifExport.render([], { failures }));

const failure = (changes: Partial<ScenarioFailure> = {}): ScenarioFailure => ({
  file: "deploy/chat.yaml",
  message: "all of it",
  code: exitCodes.invalidInput,
  problems: [],
  ...changes,
});
const placed: Problem = { file: "deploy/chat.yaml", line: 7, column: 3, at: "parallel.tp", expected: "1", found: 3 };

describe("sarif", () => {
  test("of a run without problems is a valid document without results", () => {
    expect(validSarif(sarifExport.render([forecast()])).results).toEqual([]);
    expect(read().results).toEqual([]);
  });

  test("has a result for each problem, at its line and column", () => {
    const second = { ...placed, line: 9, at: "engine.id", expected: "vllm" };
    const { results } = read(failure({ problems: [placed, second] }), failure({ file: "b.yaml", problems: [placed] }));
    expect(results).toHaveLength(3);
    expect(results[0]).toEqual({
      ruleId: "invalid-scenario",
      level: "error",
      message: { text: "parallel.tp: expected 1, found 3" },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "deploy/chat.yaml", uriBaseId: "%SRCROOT%" },
            region: { startLine: 7, startColumn: 3 },
          },
        },
      ],
    });
    expect(results[1]!.locations[0]!.physicalLocation.region.startLine).toBe(9);
  });

  test("puts what has no line at the first line of the scenario, and says where it is", () => {
    const { results } = read(
      failure({ problems: [{ file: "traces/none.bin", expected: "a file that exists" }] }),
      failure({ problems: [{ file: "--set seed=x", at: "seed", expected: "a number", found: "x" }] }),
    );
    expect(results.map(({ ruleId, message }) => [ruleId, message.text])).toEqual([
      ["invalid-input", "traces/none.bin: expected a file that exists"],
      ["invalid-scenario", '--set seed=x: seed: expected a number, found "x"'],
    ]);
    for (const { locations } of results)
      expect(locations[0]!.physicalLocation).toEqual({
        artifactLocation: { uri: "deploy/chat.yaml", uriBaseId: "%SRCROOT%" },
        region: { startLine: 1 },
      });
  });

  test("puts a problem in another file there", () => {
    const { results } = read(failure({ problems: [{ ...placed, file: "profiles/gpu.json" }] }));
    expect(results[0]!.ruleId).toBe("invalid-input");
    expect(results[0]!.locations[0]!.physicalLocation.artifactLocation.uri).toBe("profiles/gpu.json");
  });

  test("tells refusals, sums that do not fit and defects apart, with all their lines", () => {
    const below = ["because of its kernels", "take tp 4"];
    const { results } = read(
      failure({ code: exitCodes.infeasible, problems: [{ ...placed, below }] }),
      failure({ code: exitCodes.infeasible, message: "does not fit\n  experts  70 GiB" }),
      failure({ code: exitCodes.solverLimit }),
      failure({ code: exitCodes.internal }),
      failure({ code: exitCodes.usage }),
    );
    expect(results.map(({ ruleId }) => ruleId)).toEqual([
      "engine-refuses",
      "infeasible",
      "solver-limit",
      "internal-error",
      "usage",
    ]);
    expect(results[0]!.message.text).toBe("parallel.tp: expected 1, found 3\nbecause of its kernels\ntake tp 4");
    expect(results[1]!.message.text).toBe("does not fit\n  experts  70 GiB");
  });

  test("stays within what code scanning takes, and says how many are left out", () => {
    const many = Array.from({ length: 6000 }, (_, line) => ({ ...placed, line: line + 1 }));
    const { results, invocations } = read(failure({ problems: many }));
    expect(results).toHaveLength(5000);
    expect(JSON.stringify(invocations)).toContain("1000 further problems are left out");
    for (const letter of ["x", "\u76d8"]) {
      const long = many.map((problem) => ({ ...problem, expected: letter.repeat(20_000) }));
      const text = sarifExport.render([], { failures: [failure({ problems: long })] });
      expect(Buffer.byteLength(text)).toBeLessThan(10e6);
    }
  });

  test("is a failure without parts or a code as well", () => {
    const [result] = read({ file: "a.yaml", message: "a.yaml:3: wrong" }).results;
    expect(result).toMatchObject({ ruleId: "invalid-scenario", message: { text: "a.yaml:3: wrong" } });
  });
});

describe("the address of a file", () => {
  /** As Windows names its disks. */
  const drive = "C:";
  test.each([
    ["a/b c.yaml", "a/b%20c.yaml"],
    ["./a/../b.yaml", "b.yaml"],
    ["../up.yaml", "../up.yaml"],
    ["a\\b.yaml", "a/b.yaml"],
    ["/ä/b.yaml", "file:///%C3%A4/b.yaml"],
    [`${drive}\\x\\a.yaml`, `file:///${drive}/x/a.yaml`],
    ["a:b.yaml", "a%3Ab.yaml"],
    ["\u001b[31m", "%1B%5B31m"],
  ])("%s is %s", (path, uri) => {
    expect(fileUri(path).uri).toBe(uri);
  });

  test("is a valid reference for any name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (file) => {
        const { uri } = fileUri(file);
        expect(uri).toMatch(/^(?:[\w!~*'().:/-]|%[0-9A-F]{2})+$/);
        expect(URL.canParse(uri, "file:///folder/")).toBe(true);
      }),
    );
  });
});

describe("moecast run --export sarif", () => {
  const { folder, write, path } = scratch();
  const read = async (...words: readonly string[]) => {
    const { code } = await moecast(["run", ...words, "-q", "--export", `sarif=${path("out.sarif")}`], { cwd: folder });
    const { readFile } = await import("node:fs/promises");
    return { code, run: validSarif(await readFile(path("out.sarif"), "utf8")) };
  };
  const scenario = (engine: string, parallel: string) =>
    [
      "version: 1",
      "name: small",
      "model: { id: qwen3-30b-a3b, dtypes: { experts: fp8_block } }",
      "hardware: { system: h100-sxm-8, devicesPerNode: 4 }",
      `engine: ${engine}`,
      `parallel: ${parallel}`,
      "traffic:",
      "  kind: generated",
      "  requests: 10",
      "  arrivals: { kind: poisson, requestRate: 20/s }",
      "  isl: { kind: fixed, tokens: 50 }",
      "  osl: { kind: fixed, tokens: 10 }",
      "routing: { kind: uniform }",
      "",
    ].join("\n");

  test("has every problem of a scenario file, each at its key", async () => {
    write("wrong.yaml", scenario("{ id: vllm, maxModelLen: no }", "{ tp: two }"));
    const { code, run } = await read("wrong.yaml");
    expect(code).toBe(3);
    expect(run.results.map(({ locations }) => locations[0]!.physicalLocation.region)).toEqual([
      { startLine: 5, startColumn: 34 },
      { startLine: 6, startColumn: 17 },
    ]);
  });

  test("has what an engine refuses, at the key", async () => {
    write("refused.yaml", scenario("{ id: vllm }", "{ tp: 4, etp: 4 }"));
    const { code, run } = await read("refused.yaml");
    expect(code).toBe(4);
    expect(run.results.map(({ ruleId }) => ruleId)).toEqual(["engine-refuses"]);
    expect(run.results[0]!.locations[0]!.physicalLocation.region).toEqual({ startLine: 6, startColumn: 25 });
    expect(run.results[0]!.message.text).toContain("engine.startsAnyway: true overrules it");
  });
});
