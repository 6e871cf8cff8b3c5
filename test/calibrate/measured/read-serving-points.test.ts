import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readServingPoints } from "../../../src/calibrate/measured/read-serving-points.ts";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { cellsOf, csvOf, examplePoint } from "./example-point.ts";
import { problemsOf } from "./problems-of.ts";

const file = "points.csv";
const cells = cellsOf(examplePoint);
const read = (text: string) => readServingPoints(text, file);
const without = (column: string) => Object.fromEntries(Object.entries(cells).filter(([name]) => name !== column));

const degree = fc.constantFrom(1, 2, 3, 4, 8);
const ms = fc.option(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { nil: null });
const anyPoint: fc.Arbitrary<ServingPoint> = fc
  .record({
    layout: fc.tuple(degree, degree, degree),
    words: fc.array(fc.stringMatching(/^[\w./"', -]*[\w/]$/), { minLength: 4, maxLength: 4 }),
    version: fc.constantFrom("", "0.19.0", 'nightly, "a"'),
    tokens: fc.tuple(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 1, max: 5000 }),
    ),
    ttftMs: ms,
    tpotMs: ms,
  })
  .filter(({ ttftMs, tpotMs }) => ttftMs !== null || tpotMs !== null)
  .map(({ layout: [a, b, c], words, version, tokens, ttftMs, tpotMs }) => {
    const [model = "", system = "", engine = "", precision = ""] = words.map((word) => word.trim());
    const [promptTokens, outputTokens, concurrency] = tokens;
    const load = { promptTokens, outputTokens, concurrency };
    const layout = { tp: a * b, dp: c, etp: a, ep: b * c, devices: a * b * c };
    return { ...examplePoint, model, system, engine, precision, version, ...load, ...layout, ttftMs, tpotMs };
  });

describe("points written as CSV", () => {
  test("are read back whatever the order of columns, line ends, quotes and foreign columns", () => {
    const columns = [...Object.keys(cells), "note"];
    fc.assert(
      fc.property(
        fc.array(anyPoint, { minLength: 1, maxLength: 5 }),
        fc.shuffledSubarray(columns, { minLength: columns.length }),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        (points, order, end, mark) => {
          const rows = points.map((point) => ({ ...cellsOf(point), note: 'x, "y"' }) as Record<string, string>);
          const ordered = rows.map((row) => Object.fromEntries(order.map((column) => [column, row[column] ?? ""])));
          const text = (mark ? "\ufeff" : "") + csvOf(ordered, end);
          expect(read(text)).toEqual(points.map((point, i) => ({ ...point, file, line: i + 2 })));
        },
      ),
    );
  });

  test("state how many requests they are of, under either name, or do not", () => {
    const requestsOf = (more: Record<string, string>) => read(csvOf([{ ...cells, ...more }]))[0]?.requests;
    expect(requestsOf({ requests: "320" })).toBe(320);
    expect(requestsOf({ num_prompts: "64" })).toBe(64);
    expect(requestsOf({ requests: "" })).toBeNull();
    expect(requestsOf({})).toBeNull();
    expect(problemsOf(() => requestsOf({ requests: "many" }))).toMatchObject([{ line: 2, at: "requests" }]);
  });

  test("keep the line of the file they stand on, past empty lines", () => {
    const [header, row] = csvOf([cells]).split("\n");
    expect(read(`\n${header}\n\n${row}\n\n${row}`).map((point) => point.line)).toEqual([4, 6]);
  });

  test("need no date, and only one of the two latencies", () => {
    const { measured: _, ttft_ms: __, ...rest } = cells;
    expect(read(csvOf([rest]))).toEqual([{ ...examplePoint, measured: null, ttftMs: null }]);
  });

  test("hold no control characters of the file", () => {
    expect(read(csvOf([{ ...cells, model: "a\u001b[31mb" }]))[0]?.model).toBe("a\ufffd[31mb");
  });
});

describe("what is wrong with a table is told with its place", () => {
  test("a missing column, with the one that was meant", () => {
    const { attn_dp, ...rest } = cells;
    const [problem] = problemsOf(() => read(csvOf([{ ...rest, att_dp: attn_dp ?? "" }])));
    expect(problem).toMatchObject({
      file,
      line: 1,
      expected: 'a column "attn_dp"',
      hint: expect.stringMatching(/att_dp/),
    });
    const columns = ["model", "system", "backend", "isl", "moe_ep", "gpus", "version"];
    for (const column of columns)
      expect(problemsOf(() => read(csvOf([without(column)])))).toMatchObject([{ expected: `a column "${column}"` }]);
  });

  test("a latency column that is misspelt is not taken for absent", () => {
    const { tpot_ms, ...rest } = cells;
    expect(problemsOf(() => read(csvOf([{ ...rest, tpot: tpot_ms ?? "" }])))).toMatchObject([
      { expected: 'a column "tpot_ms"' },
    ]);
    const { ttft_ms: _, ...neither } = rest;
    expect(problemsOf(() => read(csvOf([neither])))).toMatchObject([{ expected: 'a column "ttft_ms" or "tpot_ms"' }]);
  });

  test.each([
    ["isl", "0"],
    ["isl", "1.5"],
    ["osl", "-3"],
    ["concurrency", "NaN"],
    ["concurrency", "1e99"],
    ["tp", ""],
    ["gpus", "0x8"],
    ["tpot_ms", "0"],
    ["tpot_ms", "-1"],
    ["ttft_ms", "inf"],
    ["ttft_ms", "1e300"],
    ["model", ""],
    ["precision", " "],
  ])("%s = %j", (at, value) => {
    const problems = problemsOf(() => read(csvOf([cells, { ...cells, [at]: value }])));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ file, line: 3, at, found: value.trim() });
  });

  test("layouts whose degrees do not multiply to the devices", () => {
    expect(problemsOf(() => read(csvOf([{ ...cells, gpus: "4" }])))).toMatchObject([
      { line: 2, at: "tp x attn_dp", expected: "gpus = 4", found: 8 },
      { line: 2, at: "moe_tp x moe_ep", expected: "gpus = 4", found: 8 },
    ]);
  });

  test("a row without any latency, and a row with a cell too many", () => {
    expect(problemsOf(() => read(csvOf([{ ...cells, ttft_ms: "", tpot_ms: "" }])))).toMatchObject([
      { line: 2, expected: "a value in ttft_ms or tpot_ms" },
    ]);
    expect(problemsOf(() => read(`${csvOf([cells]).trimEnd()},x\n`))).toMatchObject([
      { line: 2, expected: "16 cells" },
    ]);
  });

  test("all rows at once, twenty of them and a count", () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ ...cells, isl: i === 7 ? "1" : "none" }));
    const problems = problemsOf(() => read(csvOf(rows)));
    expect(problems).toHaveLength(21);
    expect(problems.map((problem) => problem.line).slice(0, 9)).toEqual([2, 3, 4, 5, 6, 7, 8, 10, 11]);
    expect(problems.at(-1)).toMatchObject({ expected: "no further problems", found: 29 });
  });

  test("text that is no table", () => {
    const header = csvOf([cells]).split("\n")[0] ?? "";
    const twice = `${header},tp\n`;
    for (const text of [
      "",
      "\n\n",
      header,
      `${header}\n`,
      twice,
      `${header}\n"open,1\n`,
      "{}",
      "__proto__,constructor\n1,2\n",
    ])
      expect(problemsOf(() => read(text)).length, JSON.stringify(text)).toBeGreaterThan(0);
    expect(problemsOf(() => read(`${header}\n"open,1\n`))).toMatchObject([{ line: 2, expected: "well-formed CSV" }]);
  });
});
