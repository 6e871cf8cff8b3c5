import { describe, expect, test } from "vitest";
import { printable } from "../../src/core/printable.ts";
import { compareResults } from "../../src/forecast/compare/compare-results.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { resultLetter } from "../../src/report/comparison-letters.ts";
import { comparisonPages, unmatchedLines } from "../../src/report/comparison-page.ts";
import { markdownPage } from "../../src/report/page-markdown.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { forecast } from "./build.ts";

const hostile = [
  "<script>alert(1)</script><img src=x onerror=alert(1)>",
  "\u001b[2J\u001b]0;title\u0007",
  '=HYPERLINK("http://x")',
  "a\u202eb\u2066c",
  "line\nbreak\r\n# heading\n| cell | cell |",
  "[link](javascript:alert(1)) ![i](http://x/y.png) `code` **bold** @user #1",
  "</details><details>",
  "long ".repeat(2000),
];

const withText = (text: string): Forecast =>
  forecast({
    scenario: { name: text, description: text, file: text },
    moecastVersion: text,
    stated: { [text]: text, "engine.id": "vllm" },
    inputs: [
      { role: "override", name: `${text}=1`, sha256: "0" },
      { role: text, name: text, sha256: text },
    ],
    deployment: { ...forecast().deployment, model: text, engine: text, placement: text },
    ledger: [{ topic: text, fidelity: "assumed", detail: text }],
    slos: [{ ...forecast().slos[0]!, metric: text, expression: text, valueText: text, passed: false }],
  });
const pagesOf = (...forecasts: Forecast[]) =>
  comparisonPages(compareResults(forecasts.map((one, i) => ({ file: `${i}${one.scenario.name}`, forecasts: [one] }))));

describe("the page of a comparison", () => {
  test("keeps text from outside inert, in Markdown and on a terminal", () => {
    for (const text of hostile)
      for (const pages of [pagesOf(forecast(), withText(text)), pagesOf(withText(text), forecast(), withText("x"))]) {
        const markdown = pages.map(markdownPage).join("\n");
        expect(markdown).not.toMatch(/<(?!\/?(details|summary)>)/);
        expect(markdown.match(/<details>/g)?.length).toBe(markdown.match(/<\/details>/g)?.length);
        expect(markdown).not.toMatch(/(?<!\\)!\[|(?<!\\)\]\(/);
        expect(markdown).not.toContain("http://");
        const terminal = pages.map((page) => terminalPage(page, plainStyle, 100)).join("\n");
        for (const shown of [markdown, terminal]) expect(printable(shown)).toBe(shown);
        // The first line is the title, which is not cut.
        for (const line of terminal.split("\n").slice(1)) if (line.length > 100) expect(line).toBe("");
      }
  });

  test("has a column for each result, the base first, and letters that do not run out", () => {
    const [page] = pagesOf(forecast(), forecast({ energy: null }), forecast({ seed: 9 }));
    const text = terminalPage(page!, plainStyle, 200);
    expect(text).toMatch(/^a: 0small \(small, seed 7/m);
    expect(text).toMatch(/joulesPerOutputToken +1\.5 J\/tok +n\/a +missing +1\.5 J\/tok +same/);
    expect(new Set(Array.from({ length: 80 }, (_, i) => resultLetter(i))).size).toBe(80);
  });

  test("shows of the base the figures that each result is held against, in a table for each set of them", () => {
    const over = (values: readonly number[], seeds: readonly number[]): Forecast =>
      forecast({ repetitions: { seeds, load: seeds.map(() => "stable"), metrics: { throughput: values }, slos: [] } });
    // The first run of the fixture has 1,234.5 tok/s.
    const base = over([10, 20, 30, 40, 50, 60], [1, 2, 3, 4, 5, 6]);
    const results = [over([11, 23, 35, 47], [1, 2, 3, 4]), forecast(), over([50, 62, 74, 86], [3, 4, 5, 6])];
    const once = { ...forecast().throughput, outputTokensPerSecond: 2469 };
    const text = terminalPage(pagesOf(base, ...results, forecast({ throughput: once }))[0]!, plainStyle, 200);
    const tables = text.split("\nMetrics").slice(1);
    expect(tables.map((table) => table.split("\n")[0])).toEqual([", b against a", ", c, e against a", ", d against a"]);
    expect(tables[0]).toMatch(/throughput +25 tok\/s +29 tok\/s +\+16\.0%/);
    expect(tables[1]).toMatch(/throughput +1235 tok\/s +1235 tok\/s +same +2469 tok\/s +\+100\.0% +no interval/);
    expect(tables[2]).toMatch(/throughput +45 tok\/s +68 tok\/s/);
    // Every pair in the document is a base value and the one that is held against it.
    const files = [base, ...results].map((one, i) => ({ file: `${i}`, forecasts: [one] }));
    for (const { metrics } of compareResults(files).scenarios[0]!.against)
      for (const { before, after, difference } of metrics)
        if (before !== null && after !== null) expect(difference).toBe(after - before);
  });

  test("folds the ledger in Markdown and counts what changed in it", () => {
    const after = forecast({ ledger: [{ topic: "routing", fidelity: "assumed", detail: "another" }] });
    const [page] = pagesOf(forecast(), after);
    const markdown = markdownPage(page!);
    expect(markdown).toContain("<details><summary>Fidelity ledger, b against a: 1 gone, 1 changed</summary>");
    expect(terminalPage(page!, plainStyle, 120)).toContain("Fidelity ledger, b against a: 1 gone, 1 changed");
  });

  test("says that nothing differs in the inputs where nothing does", () => {
    expect(markdownPage(pagesOf(forecast(), forecast())[0]!)).toContain("Inputs: the same");
  });

  test("names scenarios that not all files have", () => {
    const named = (name: string) => forecast({ scenario: { name, description: "", file: "" } });
    const comparison = compareResults([
      { file: "a.json", forecasts: [named("x"), named("y")] },
      { file: "b.json", forecasts: [named("x"), named("z")] },
    ]);
    expect(unmatchedLines(comparison)).toEqual([
      "not compared everywhere: y is in a.json, not in b.json",
      "not compared everywhere: z is in b.json, not in a.json, and has no base",
    ]);
  });
});
