import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Comparison } from "../../src/forecast/compare/comparison.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { jsonExport } from "../../src/report/json.ts";
import { forecast, overloaded, steady } from "../report/build.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
const saved = (name: string, ...forecasts: readonly Forecast[]) => write(name, jsonExport.render(forecasts));

/** The small forecast, with output tokens times a factor. */
const faster = (factor: number, changes: Partial<Forecast> = {}): Forecast => {
  const { throughput } = forecast();
  return steady(
    forecast({
      throughput: { ...throughput, outputTokensPerSecond: throughput.outputTokensPerSecond * factor },
      ...changes,
    }),
  );
};
const named = (name: string, one = forecast()): Forecast => ({ ...one, scenario: { ...one.scenario, name } });
const base = saved("base.json", steady());
const half = saved("half.json", faster(0.5, { seed: 8 }));
const twice = saved("twice.json", faster(2));

describe("moecast compare", () => {
  test("says that a result is the same as itself, and exits 0 with and without limits", async () => {
    for (const words of [[], ["--max-regress", "0%"]]) {
      const { code, out, err } = await moecast(["compare", base, base, ...words]);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toMatch(/of (\d+) metrics the same/);
      expect(out).toContain("Inputs: the same");
      expect(out).not.toMatch(/worse|better|noise/);
    }
  });

  test("shows inputs before metrics, and exits 99 beyond limits alone", async () => {
    const plain = await moecast(["compare", base, half]);
    expect(plain.code).toBe(0);
    expect(plain.out).toMatch(/seed +7 +8/);
    expect(plain.out.indexOf("Inputs that differ")).toBeLessThan(plain.out.indexOf("\nMetrics"));
    expect(plain.out).toMatch(/throughput +1,?23\d tok\/s +617\.\d tok\/s +-50\.0% +±0\.0% +worse/);
    const limited = await moecast(["compare", base, half, "--max-regress", "10%"]);
    expect(limited.code).toBe(99);
    expect(limited.out).toContain("FAIL 1 regression |");
    expect((await moecast(["compare", base, half, "--max-regress", "60%"])).code).toBe(0);
    expect((await moecast(["compare", base, half, "--max-regress", "60%,throughput=1%"])).code).toBe(99);
    expect((await moecast(["compare", base, half, "--max-regress", "1%", "--metric", "e2e"])).code).toBe(0);
    expect((await moecast(["compare", base, twice, "--max-regress", "1%"])).code).toBe(0);
  });

  test("puts further results beside, each against the first", async () => {
    const { out } = await moecast(["compare", base, half, twice, "--json"]);
    const comparison = JSON.parse(out) as Comparison;
    expect(comparison).toMatchObject({ schemaVersion: 1, kind: "comparison", files: [base, half, twice] });
    expect(
      comparison.scenarios[0]?.against.map(({ metrics }) => metrics.find((one) => one.metric === "throughput")),
    ).toMatchObject([
      { verdict: "worse", relative: -0.5 },
      { verdict: "better", relative: 1 },
    ]);
    const table = (await moecast(["compare", base, half, twice])).out;
    expect(table).toMatch(/throughput .*-50\.0% .*worse .*\+100\.0% .*better/);
  });

  test("writes to a file, as Markdown too, and nothing on stdout then", async () => {
    const file = path("comparison.md");
    const { code, out } = await moecast(["compare", base, half, "--format", "markdown", "-o", file]);
    expect([code, out]).toEqual([0, ""]);
    expect(readFileSync(file, "utf8")).toMatch(/^### small: 1 worse, \d+ same\n/);
    const json = (await moecast(["compare", base, half, "--format", "json"])).out;
    expect((await moecast(["compare", base, half, "--json"])).out).toBe(json);
  });

  test("compares lists by the names of their scenarios, and names those that not all have", async () => {
    const [one, two] = [
      saved("list-a.json", named("x"), named("gone")),
      saved("list-b.json", named("new"), named("x", faster(0.9))),
    ];
    const { code, out } = await moecast(["compare", one, two]);
    expect(code).toBe(0);
    expect(out).toMatch(/^x {2}compared by/m);
    expect(out).toMatch(/^not compared everywhere: gone is in .*list-a.json, not in .*list-b.json$/m);
    expect(out).toMatch(/new is in .*list-b.json.* has no base$/m);
    expect((await moecast(["compare", one, two, "--max-regress", "50%"])).code).toBe(99);
    expect((await moecast(["compare", two, two, "--max-regress", "0%"])).code).toBe(0);
  });

  test("says what is a part of a run or overloaded, and does not judge parts by limits", async () => {
    const part = saved("part.json", forecast({ interrupted: true }));
    const full = saved("full.json", overloaded());
    const { code, out } = await moecast(["compare", part, full]);
    expect(code).toBe(0);
    expect(out).toContain("a is a part of its run");
    expect(out).toContain("b is overloaded");
    const { code: refused, err } = await moecast(["compare", base, part, "--max-regress", "5%"]);
    expect(refused).toBe(3);
    expect(err).toContain("part.json: interrupted: expected results of whole runs");
  });

  test("refuses what is no result at its place, with exit 3, and leaves no file behind", async () => {
    const damaged = (change: Record<string, unknown>) => {
      const document = JSON.parse(readFileSync(base, "utf8")) as Record<string, unknown>;
      return write("damaged.json", JSON.stringify({ ...document, ...change }));
    };
    const cases: readonly (readonly [() => string, RegExp])[] = [
      [() => path("nowhere.json"), /nowhere\.json/],
      [() => write("empty.json", ""), /empty\.json/],
      [() => write("list.json", "[]"), /list\.json: expected one forecast or more/],
      [() => write("plan.json", '{"kind":"plan"}'), /plan\.json: kind: expected "forecast"/],
      [() => damaged({ ledger: "x" }), /damaged\.json: ledger: expected a list/],
      [() => damaged({ stated: { a: 1 } }), /stated: expected an object of texts/],
      [() => damaged({ repetitions: { seeds: [7] } }), /repetitions\.load/],
      [() => damaged({ schemaVersion: 99 }), /schemaVersion/],
    ];
    for (const [file, message] of cases) {
      const out = path("never.json");
      const ended = await moecast(["compare", base, file(), "--json", "-o", out]);
      expect(ended.code, ended.err).toBe(3);
      expect(ended.err).toMatch(message);
      expect([ended.out, existsSync(out)]).toEqual(["", false]);
    }
  });

  test("refuses unknown metrics, formats and one result alone, with exit 2", async () => {
    const unknown = await moecast(["compare", base, half, "--metric", "throughputt"]);
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('did you mean "throughput"')]);
    for (const words of [
      ["compare", base],
      ["compare", base, half, "--format", "xml"],
      ["compare", base, half, "--json", "--format", "markdown"],
      ["compare", base, half, "--max-regress", "-1%"],
      ["compare", base, half, "-o", path("no/folder.json")],
    ])
      expect((await moecast(words)).code, words.join(" ")).toBe(2);
  });
});
