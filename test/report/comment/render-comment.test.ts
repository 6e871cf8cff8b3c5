import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable } from "../../../src/core/printable.ts";
import { defaultRegressionLimits } from "../../../src/forecast/baseline.ts";
import { compareResults } from "../../../src/forecast/compare/compare-results.ts";
import type { Comparison } from "../../../src/forecast/compare/comparison.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { isTag, markerOf } from "../../../src/report/comment/comment-marker.ts";
import { fitParts } from "../../../src/report/comment/fit-parts.ts";
import { inertText } from "../../../src/report/comment/inert-text.ts";
import { comparisonComment, forecastComment, quietComment } from "../../../src/report/comment/render-comment.ts";
import { isQuiet, toldChanges } from "../../../src/report/comment/told-changes.ts";
import { forecast, stats, steady, verdict } from "../build.ts";
import { renderedCells } from "../rendered-markdown.ts";

const form = { tag: "chat", host: "GitHub", bytesMax: 65_536 };
const compared = (before: readonly Forecast[], after: readonly Forecast[]): Comparison =>
  compareResults(
    [
      { file: "baseline.json", forecasts: before.map(steady) },
      { file: "result.json", forecasts: after.map(steady) },
    ],
    { only: null, limits: defaultRegressionLimits },
  );
const comment = (before: readonly Forecast[], after: readonly Forecast[], bytesMax = form.bytesMax) =>
  comparisonComment(compared(before, after), after, { ...form, bytesMax });

const named = (name: string, changes: Partial<Forecast> = {}) =>
  forecast({ scenario: { name, description: name, file: `${name}.yaml` }, ...changes });
const slower = (factor: number) => {
  const { latency } = forecast();
  return { latency: { ...latency, tpot: stats(200 * factor) } };
};

describe("a comment", () => {
  test("begins with the marker of its tag, says what got worse by how much, and which SLOs changed", () => {
    const [met, failed] = [verdict({ metric: "tpot", expression: "p(50)<190ms" })].flatMap((slo) => [
      slo,
      { ...slo, passed: false, valueText: "216 ms" },
    ]);
    const text = comment([forecast({ slos: [met!] })], [forecast({ ...slower(1.2), slos: [failed!] })]);
    expect(text.startsWith(`${markerOf("chat")}\n### Forecast of small: FAIL 4 regressions, 0 of 1 SLOs met\n`)).toBe(
      true,
    );
    expect(text).toContain(
      "\n1 SLO fails now (tpot p(50)&lt;190ms); 4 metrics got worse beyond the limit (most of all tpot.mean +20.0%).\n",
    );
    const rows = renderedCells(text);
    expect(rows[2]).toEqual(["FAIL", "SLO tpot p(50)<190ms", "612 ms", "216 ms", "fails now", ""]);
    expect(rows[3]).toEqual(["regression", "tpot.mean", "200 ms", "240 ms", "+20.0%", "±0.0%"]);
  });

  test("shows one figure of each family outside, and every metric in the folded part", () => {
    const text = comment([forecast()], [forecast(slower(1.2))]);
    const [outside = "", ...parts] = text.split("<details>");
    expect(renderedCells(outside).filter(([, metric]) => metric?.startsWith("tpot."))).toHaveLength(1);
    expect(outside).toContain("and 3 more in the tables below");
    const all = compared([forecast()], [forecast()]).scenarios[0]!.against[0]!.metrics;
    expect(
      renderedCells(parts.at(-1)!)
        .slice(2)
        .map((row) => row[1]),
    ).toEqual(all.map(({ metric }) => metric));
  });

  test("counts changes within the limit and those for the better apart from regressions", () => {
    const { throughput } = forecast();
    const text = comment(
      [forecast()],
      [
        forecast({
          ...slower(1.03),
          throughput: { ...throughput, requestsPerSecond: throughput.requestsPerSecond * 2 },
        }),
      ],
    );
    expect(text).toContain("### Forecast of small: FAIL no regression, 1 of 2 SLOs met");
    expect(text).toContain(
      "4 metrics got worse within the limit (most of all tpot.mean +3.0%); 1 metric got better (requestRate +100.0%).",
    );
  });

  test("says how many metrics changed without an interval, beside the others and alone", () => {
    const [before, after] = [{}, slower(1.03)].map((changes) => forecast(changes)) as [Forecast, Forecast];
    const of = (...[one, two]: readonly [Forecast, Forecast]) => {
      const pair = [one, two].map((forecasts, i) => ({ file: `${i}.json`, forecasts: [forecasts] }));
      return comparisonComment(compareResults(pair), [two], form);
    };
    expect(of(before, after)).toMatch(/\n\d metrics changed and have no interval \(most of all /);
    const ledger = { ledger: [] };
    expect(of(before, forecast({ ...ledger, energy: null }))).toContain("\n1 figure of before is missing (");
    expect(of(before, forecast(ledger))).toContain("\nNo metric changed beyond noise.\n");
  });

  test("lists inputs and ledger entries that differ", () => {
    const after = forecast({
      seed: 8,
      ledger: [
        { topic: "routing", fidelity: "assumed", detail: "uniform" },
        { topic: "price", fidelity: "assumed", detail: "new" },
      ],
    });
    const text = comment([forecast()], [after]);
    const cells = renderedCells(text);
    expect(cells).toContainEqual(["seed", "7", "8"]);
    expect(cells).toContainEqual(["changed", "routing", "replayed: each token reads one row", "assumed: uniform"]);
    expect(cells).toContainEqual(["gone", "kernel overhead", "assumed: 4 us per kernel", "-"]);
    expect(cells).toContainEqual(["added", "price", "-", "assumed: new"]);
    expect(text).toContain("the two drew other seed: what differs may be their noise");
  });

  test("names scenarios that are new, and those without a forecast now", () => {
    const text = comment([named("a"), named("gone")], [named("a"), named("fresh")]);
    expect(text).toMatch(/^### Forecast of a: FAIL no forecast of 1 scenario/m);
    expect(text).toContain("- gone: in the baseline, and without a forecast now\n");
    expect(text).toContain("- fresh: new. FAIL 1 of 2 SLOs met");
  });

  test("without a baseline says how each forecast came out", () => {
    const text = forecastComment([named("a"), named("b", { passed: true })], form);
    expect(text).toContain("### Forecasts of 2 scenarios: FAIL: 1 of 2 scenarios");
    expect(renderedCells(text).map(([name]) => name)).toEqual(["scenario", "---", "a", "b"]);
  });

  test("is the same for the same results", () => {
    expect(comment([forecast()], [forecast(slower(1.2))])).toBe(comment([forecast()], [forecast(slower(1.2))]));
  });
});

describe("silence", () => {
  test("is for results without a change beyond noise, whatever their inputs", () => {
    const [scenario] = forecast().inputs;
    const edited = forecast({ inputs: [{ ...scenario!, sha256: "ff".repeat(32) }] });
    expect(isQuiet(compared([forecast()], [forecast()]))).toBe(true);
    expect(isQuiet(compared([forecast()], [edited]))).toBe(true);
    expect(isQuiet(compared([forecast()], [forecast(slower(1.0001))]))).toBe(true);
  });

  test.each<[string, Partial<Forecast>]>([
    ["a metric", slower(1.02)],
    ["an SLO", { slos: [verdict({ passed: false })] }],
    ["a ledger entry", { ledger: [] }],
  ])("is broken by %s", (_what, changes) => {
    expect(isQuiet(compared([forecast()], [forecast(changes)]))).toBe(false);
    expect(isQuiet(compared([named("a"), named("b")], [named("a")]))).toBe(false);
  });

  test("a change is told for the worse as for the better", () => {
    const [there, back] = [
      toldChanges(compared([forecast()], [forecast(slower(1.2))])),
      toldChanges(compared([forecast(slower(1.2))], [forecast()])),
    ];
    expect(new Set(back.map(({ metric }) => metric?.metric))).toEqual(
      new Set(there.map(({ metric }) => metric?.metric)),
    );
    expect(new Set(back.map(({ verdict: is }) => is))).toEqual(new Set(["better"]));
  });
});

describe("size", () => {
  const many = (count: number, factor: number) =>
    Array.from({ length: count }, (_, i) =>
      named(`scenario ${i}`, {
        ...slower(factor),
        ledger: [{ topic: "t", fidelity: "assumed", detail: `${factor} ${"x".repeat(300)}` }],
      }),
    );
  const [before, after] = [many(120, 1), many(120, 1.2)];

  test.each([4096, 20_000, 65_536])("stays within %i bytes, in whole parts, and says what is left out", (bytesMax) => {
    const text = comment(before, after, bytesMax);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(bytesMax);
    expect(text).toMatch(
      new RegExp(`\\n\\d+ parts of the details are left out: a comment on GitHub holds ${bytesMax} bytes\\.\\n$`),
    );
    expect(text.split("<details>").length).toBe(text.split("</details>").length);
    // A table has as many cells in each of its rows as in its header.
    for (const table of text.split(/\n\n/).filter((part) => part.startsWith("| ")))
      expect(new Set(table.split("\n").map((line) => line.split(" | ").length)).size).toBe(1);
  });

  test("whole where it fits", () => {
    const text = comment(before, after, 1_000_000);
    expect(text.split("<details>")).toHaveLength(1 + 120 * 2);
    expect(text).not.toContain("left out");
  });

  test("keeps the first parts that fit, and never more bytes than there are", () => {
    const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(part, fc.array(part, { maxLength: 12 }), fc.integer({ min: 160, max: 400 }), (head, parts, max) => {
        const text = fitParts(head, parts, max, (n) => `\n${n} left\n`);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(max);
        expect(text.startsWith(head)).toBe(true);
        if (Buffer.byteLength([head, ...parts].join("")) <= max) expect(text).toBe([head, ...parts].join(""));
        else expect(text).toContain(" left\n");
      }),
    );
  });
});

const hostile = [
  "@ann @org/team",
  "ping @ann",
  '#123 GH-12 gh-12 acme/app#7 acme/app!8 !9 $10 %11 ~12 &13 ~"a label" ^14',
  "ABC-12",
  "deadbeef01 0123456789abcdef0123456789abcdef01234567",
  "<!-- moecast:chat -->",
  "-->",
  "<!-- moecast:other --> --><script>alert(1)</script>",
  "</details></details><img src=x onerror=alert(1)>",
  "![x](http://example.org/x.png)",
  "[x](javascript:alert(1))",
  "https://github.com/acme/app/issues/1 www.example.org ann@example.org",
  ":tada: :+1:",
  "/close\n/merge",
  "a\n/close",
  "a\r\n\r\n# heading\n| a | b |\n```",
  "a|b\\|c",
  "\u001b[2J\u001b]0;title\u0007",
  "\u202egpj.exe\u200b\ufeff",
  "=cmd|' /C calc'!A0",
  "```\n~~~",
  "\ud800",
  "x".repeat(10_000),
  "@".repeat(10_000),
  "盘古".repeat(2000),
];
const anyText = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary", maxLength: 60 }));

/** What the hosts would find in the text that a page shows: breaks stand between the characters, entities do not. */
const shown = (markdown: string): string =>
  markdown
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
const found =
  /(?<![\w&])@[\w-]|[#!$%~^&][\w"]|\b(?:[A-Z][A-Z0-9_]+|[Gg][Hh])-\d|\b[0-9a-f]{7,40}\b|:\/\/|www\.|:[a-z0-9_+-]+:/u;

describe("text of users", () => {
  test("notifies nobody and links nothing", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const inert = inertText(text);
        expect(shown(inert)).not.toMatch(found);
        // Neither tag, link, image, code nor emphasis, nor the end of a cell.
        expect(inert.replace(/\\./g, "")).not.toMatch(/[<>`*_[\]|\n\r]/);
        expect(Array.from(inert.replaceAll(/&#?\w+;|\\/g, "")).length).toBeLessThanOrEqual(120);
      }),
    );
  });

  test("stays readable: breaks aside it is the text", () => {
    for (const text of ["@ann", "#123", "a|b\\|c", "<script>", "p(99)<800ms", "https://example.org", "3% of $2"])
      expect(shown(inertText(text)).replaceAll("\u200b", "")).toBe(text);
  });

  const wholly = (text: string, changes: Partial<Forecast> = {}) =>
    forecast({
      scenario: { name: text, description: text, file: text },
      deployment: { ...forecast().deployment, model: text, device: text, placement: text, engine: text },
      slos: [
        verdict({ metric: `ttft{class:${text}}`, expression: text, reason: text, valueText: text, passed: false }),
      ],
      ledger: [{ topic: text, fidelity: "assumed", detail: text }],
      inputs: [
        { role: "scenario", name: text, sha256: "ab".repeat(32) },
        { role: text, name: text, sha256: "cd".repeat(32) },
      ],
      ...changes,
    });

  test("does nothing wherever it stands in a comment", () => {
    fc.assert(
      fc.property(anyText, anyText, (text, other) => {
        const comments = [
          comment(
            [wholly(text), wholly(`${text}1`)],
            [wholly(text, { ...slower(1.2), ledger: wholly(other).ledger }), wholly(`${text}2`)],
          ),
          comment([forecast()], [wholly(text)]),
          forecastComment([wholly(text)], form),
        ];
        for (const whole of comments) {
          expect(whole.split("<!--")).toHaveLength(2);
          expect(whole.startsWith(`${markerOf("chat")}\n`)).toBe(true);
          expect(whole.match(/<(?!\/?details>|\/?summary>|!-- moecast:chat -->)/)).toBeNull();
          expect(whole.split("<details>").length).toBe(whole.split("</details>").length);
          // A line that begins with a slash is a command to GitLab; one with other marks would be a heading or a rule.
          for (const line of whole.split("\n")) expect(line).toMatch(/^$|^[|\w-]|^### |^<\/?details>|^<!-- moecast/);
          expect(whole).toBe(printable(whole));
          expect(shown(whole).replace(/^### /gm, "")).not.toMatch(/(?<![\w&])@[\w-]|[#!~][\w"]/u);
          expect(Buffer.byteLength(whole)).toBeLessThanOrEqual(65_536);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("markers of different tags never begin one another, and a tag is a plain word", () => {
  const tags = ["a", "a-b", "a.b", "forecasts", "x".repeat(64)];
  for (const tag of tags) {
    expect(isTag(tag)).toBe(true);
    for (const other of tags)
      if (other !== tag) expect(quietComment({ tag: other }).startsWith(markerOf(tag))).toBe(false);
  }
  for (const tag of ["", "-", "a--b", "a -->", "a b", "é", "a\n", "x".repeat(65), "a-", "<"])
    expect(isTag(tag)).toBe(false);
});
