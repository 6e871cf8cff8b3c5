import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable } from "../../src/core/printable.ts";
import { displayWidth } from "../../src/report/display-width.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { type ValidationFormat, validationExporters } from "../../src/report/validation-exporters.ts";
import { servingPage } from "../../src/report/validation-serving.ts";
import type { PointError } from "../../src/validate/serving/validation.ts";
import { pointError, pointMetric } from "../calibrate/example-points.ts";
import { drawn } from "../drawn.ts";
import { twelve, validation } from "./build-validation.ts";
import { parseXml } from "./parse-xml.ts";
import { renderedCells } from "./rendered-markdown.ts";

const summary = (points: readonly PointError[], width?: number) =>
  terminalPage(servingPage(validation(points)), plainStyle, width);
const exported = (format: ValidationFormat, points: readonly PointError[]) => {
  const document = validation(points);
  return validationExporters[format].render({ document, page: servingPage(document) });
};

/** Every run renders whole reports. */
const few = { numRuns: drawn(25) };

/** Names as files and attackers write them. */
const anyName = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
  fc.constantFrom("=cmd|'/C calc'!A0", "a|b`c`", "<script>x</script>", "\u001b[2J", "a\nb", "]]>&amp;", "盘古/模型"),
);
const hostile = anyName.map((name) => [
  ...twelve,
  pointError({ model: name, engine: name, version: name, precision: name }, { reason: name, listedSeries: name }),
]);

describe("the report of a validation", () => {
  test("begins with the errors that decide, and says what they are made of", () => {
    const text = summary(twelve);
    for (const part of [
      "TPOT error 11.0% median, 11.0% mean, bias +11.0% over 12 points",
      "TTFT below saturation    unlisted      11",
      "TPOT inside its band",
      "Not forecast  1 point\n",
      "does not fit: 90 GiB of weights (Huge fp8",
      "positive where the forecast is too slow",
      "sha256 0123456789abcdef",
    ])
      expect(text).toContain(part);
    const swapped = [pointError({ tp: 1 }), pointError({ tp: 4 }, { tpot: pointMetric(20, 5) })];
    expect(summary(swapped, 200)).toContain("0.0% of pairs in order");
  });

  test("lists the worst points first, with the place in the file and the reason", () => {
    const worst = summary(twelve)
      .split("\n")
      .filter((line) => /^ +\+\d+\.\d% +\d+\.\d\d ms/.test(line));
    expect(worst).toHaveLength(10);
    expect(worst[0]).toMatch(/^ +\+22\.0% +79\.30 ms +65\.00 ms .*concurrency 24/);
    expect(summary(twelve, 300)).toContain("(line 13): reason 11; listed series: drafting is suspected");
  });

  test("leaves out the rows of listed series where there are none", () => {
    expect(summary(twelve.slice(0, 11))).not.toMatch(/^ .*unlisted +\d/m);
  });

  test("of setups is sorted by their error", () => {
    const list = [
      pointError({ model: "a/Good" }, { tpot: pointMetric(10, 10.1) }),
      pointError({ model: "a/Bad" }, { tpot: pointMetric(10, 20) }),
    ];
    const text = summary(list);
    const [bad, good] = [text.indexOf("\n  Bad "), text.indexOf("\n  Good ")];
    expect(bad).toBeGreaterThan(0);
    expect(good).toBeGreaterThan(bad);
  });

  test("fits its terminal from 60 cells on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 140 }), (width) => {
        for (const line of summary(twelve, width).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  test("of names that would drive a terminal does not", () => {
    fc.assert(
      fc.property(hostile, (points) => {
        for (const line of summary(points).split("\n")) {
          expect(printable(line)).toBe(line);
          expect(line).not.toMatch(/[\t\u202e]/);
        }
      }),
      few,
    );
  });

  test("of no points at all says so", () => {
    expect(summary([])).toContain("TPOT error n/a median, n/a mean, bias n/a over 0 points");
    expect(summary([])).toContain("no points");
  });
});

describe("an export of a validation", () => {
  test("has the same bytes every time, in every format", () => {
    for (const format of Object.keys(validationExporters) as ValidationFormat[])
      expect(exported(format, twelve)).toBe(exported(format, structuredClone(twelve)));
  });

  test("as JSON is the document", () => {
    expect(JSON.parse(exported("json", twelve))).toEqual(JSON.parse(JSON.stringify(validation(twelve))));
  });

  test("as CSV has a row for every point, skipped ones included, with unrounded numbers", () => {
    const rows: Record<string, string>[] = parse(exported("csv", twelve), { columns: true });
    expect(rows).toHaveLength(13);
    for (const [i, error] of twelve.entries())
      expect(rows[i]).toMatchObject({
        concurrency: String(error.point.concurrency),
        tpot_measured_ms: String(error.tpot?.measuredMs),
        tpot_forecast_ms: String(error.tpot?.predictedMs),
        ttft_error_percent: String(error.ttft?.errorPercent),
        status: "forecast",
        line: String(error.point.line),
      });
    expect(rows[12]).toMatchObject({ status: "skipped", tpot_forecast_ms: "", tpot_measured_ms: "10", line: "99" });
  });

  test("as CSV arms no formula", () => {
    fc.assert(
      fc.property(hostile, (points) => {
        const rows: string[][] = parse(exported("csv", points));
        expect(rows).toHaveLength(points.length + 2);
        for (const cell of rows.flat()) expect(cell).not.toMatch(/^[=+@]|^-(?!\d)/);
      }),
      few,
    );
  });

  test("as Markdown keeps every cell in its column", () => {
    fc.assert(
      fc.property(hostile, (points) => {
        const text = exported("markdown", points);
        const setups = renderedCells(text).filter((cells) => cells.length === 9);
        // The header, its rule, and three setups.
        expect(setups).toHaveLength(5);
        expect(text).not.toMatch(/<script/);
        expect(text.match(/^```/gm)).toHaveLength(2);
      }),
      few,
    );
  });

  test("as SVG is well-formed and has a mark for every point", () => {
    fc.assert(
      fc.property(hostile, (points) => {
        const marks = parseXml(exported("svg", points))
          .all("circle")
          .filter((circle) => circle.attributes["r"] === "3");
        expect(marks).toHaveLength(points.length);
      }),
      few,
    );
  });
});
