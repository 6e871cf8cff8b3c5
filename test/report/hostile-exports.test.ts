import { parse as parseCsv } from "csv-parse/sync";
import { parquetReadObjects } from "hyparquet";
import { beforeAll, describe, expect, test } from "vitest";
import { readMeasurement } from "../../src/calibrate/measured/read-measurement.ts";
import { exitCodes } from "../../src/core/errors.ts";
import type { RunDetails } from "../../src/forecast/details/run-details.ts";
import type { ExportFormat } from "../../src/report/export-formats.ts";
import type { AnyExporter, ScenarioFailure } from "../../src/report/exporter.ts";
import { exporters } from "../../src/report/exporters.ts";
import { type EndedRun, endedRun } from "../tui/screens/ended-run.ts";
import { forecast, verdict } from "./build.ts";
import { parseOpenMetrics } from "./parse-openmetrics.ts";
import { parseXml } from "./parse-xml.ts";
import { validSarif } from "./valid-sarif.ts";

/** Names as attackers write them, and the longest. */
const hostileNames: Readonly<Record<string, string>> = {
  HTML: "<script>alert(1)</script><img src=x onerror=alert(1)>",
  SVG: '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><foreignObject/></svg>',
  "the end of markup": '"></td></details></script>--!>]]><x/>',
  "a CSV formula": "=cmd|' /C calc'!A0",
  "another formula": '@SUM(1)*cmd|"/C calc"!A0,\t-1',
  ANSI: "\u001b[2J\u001b]0;title\u0007\u009b31m\u001b]8;;http://e.org\u001b\\link",
  "bidirectional marks": "\u202egpj.exe\u2066x\u2069\u200f\u061c",
  "marks without width": "a\u200b\ufeff\u2060\u00adb\u{e0041}",
  newlines: "a\n\n# heading\r\n| a | b |\u2028b\u2029c\u0085d",
  "the end of a text": 'a"} 1\n# EOF\nmoecast_x 1\\',
  "half surrogates": "\ud800a\udfff",
  NUL: "a\u0000b",
  Markdown: "`a` **b** [x](javascript:alert(1)) ![y](http://e.org/y.png) a\\|b",
  "a workflow command": "::set-output name=x::y\n::error::z",
  "a prototype key": "__proto__",
  nothing: "",
  blanks: " \t ",
  "10 kB": `<b>${"long ".repeat(2048)}</b>`,
};

let run: EndedRun;

beforeAll(async () => {
  run = await endedRun("test/fixtures/scenarios/small.yaml", ["traffic.requests=5"]);
}, 60_000);

/** Every place of a forecast that holds text from outside. */
const named = (name: string) =>
  forecast({
    scenario: { name, description: name, file: name },
    deployment: { ...forecast().deployment, model: name, device: name, placement: name, offload: name, engine: name },
    slos: [
      verdict({ metric: `ttft{class:${name}}`, reason: name, value: null, passed: false }),
      verdict({ metric: `tpot{class:${name}}`, reason: name, value: null, passed: false, level: "warn" }),
    ],
    latencyByClass: Object.fromEntries([name, `${name}2`].map((of) => [of, forecast().latency])),
    ledger: [{ topic: name, fidelity: "assumed", detail: name }],
    inputs: [{ role: "scenario", name, sha256: "ab".repeat(32) }],
    memory: { ...forecast().memory, tiers: forecast().memory.tiers.map((tier) => ({ ...tier, tier: name })) },
    resources: forecast().resources.map((resource) => ({ ...resource, name })),
  });

const detailed = (name: string): RunDetails => ({
  ...run.details,
  requests: { ...run.details.requests, classes: [name] },
  links: run.details.links.map((link) => ({ ...link, name })),
  experts: run.details.experts.map((of) => ({ ...of, pool: name })),
});

const failuresOf = (name: string): ScenarioFailure[] => [
  { file: name, message: name, code: exitCodes.internal },
  {
    file: name,
    message: name,
    code: exitCodes.invalidInput,
    problems: [{ file: name, line: 1, column: 1, at: name, expected: name, found: name, below: [name] }],
  },
];

const textOf = (rendered: string | Uint8Array): string => {
  if (typeof rendered !== "string") throw new Error("expected text");
  return rendered;
};
const cells = (text: string): string[][] => parseCsv(text) as string[][];
const isFormula = (cell: string) => /^[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/.test(cell) && !Number.isFinite(Number(cell));
/** Markup in a text that is not part of the few tags that reports write. */
const tags = (text: string) => text.replace(/<\/?(details|summary)>/g, "").match(/<[a-z!/]/gi) ?? [];

/** How each format is read, by something that did not write it, and what must not be in it; returns what must not change with the names. */
const readers: Readonly<Record<ExportFormat, (rendered: string | Uint8Array) => unknown>> = {
  json: (rendered) => (JSON.parse(textOf(rendered)) as object[]).length,
  details: (rendered) => (JSON.parse(textOf(rendered)) as object[]).length,
  csv: (rendered) => {
    const rows = cells(textOf(rendered));
    expect(rows.flat().filter(isFormula)).toEqual([]);
    return rows.map((row) => row.length);
  },
  requests: (rendered) => {
    const rows = cells(textOf(rendered));
    expect(rows.flat().filter(isFormula)).toEqual([]);
    return rows.map((row) => row.length);
  },
  parquet: async (rendered) => {
    if (typeof rendered === "string") throw new Error("expected bytes");
    const rows = await parquetReadObjects({ file: rendered.slice().buffer });
    for (const { scenario, class: of } of rows) for (const text of [scenario, of]) inert(String(text));
    return rows.length;
  },
  markdown: (rendered) => {
    const text = textOf(rendered);
    expect(tags(text)).toEqual([]);
    return structure(text);
  },
  github: (rendered) => {
    const text = textOf(rendered);
    expect(tags(text)).toEqual([]);
    return structure(text);
  },
  junit: (rendered) => {
    const root = parseXml(textOf(rendered));
    return ["testsuite", "testcase", "failure", "error", "property"].map((name) => root.all(name).length);
  },
  sarif: (rendered) => validSarif(textOf(rendered)).results.map(({ ruleId }) => ruleId),
  openmetrics: (rendered) => parseOpenMetrics(textOf(rendered)).map(({ name, value }) => `${name} ${value}`),
  "vllm-bench": (rendered) => {
    const measurement = readMeasurement(textOf(rendered), "bench.json");
    return measurement.kind === "benchmark" ? measurement.runs.map(({ metrics }) => metrics) : measurement.kind;
  },
  // By name, so the order changes with the names.
  bmf: (rendered) =>
    Object.values(JSON.parse(textOf(rendered)) as object)
      .map((measures) => Object.keys(measures).join())
      .sort(),
};

/** Kinds of lines of a Markdown text: headings, and rows of tables with so many cells. */
const structure = (text: string) =>
  text
    .split("\n")
    .map((line) =>
      line.startsWith("| ")
        ? line.replaceAll(/\\./g, "").split("|").length
        : (/^(#+ |<\/?(?:details|summary)>)/.exec(line)?.[0] ?? ""),
    );

/** Nothing in a text drives a terminal or turns the order of what stands around it. */
function inert(text: string): void {
  const found = /(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/u.exec(text);
  expect(found?.[0]).toBeUndefined();
}

const renderedWith = (format: ExportFormat, name: string) => {
  const exporter: AnyExporter = exporters[format];
  return exporter.render([named(name), forecast()], {
    details: [detailed(name), run.details],
    failures: exporter.reportsFailures ? failuresOf(name) : [],
  });
};

describe.each(Object.keys(exporters) as ExportFormat[])("%s", (format) => {
  test("has a reader here", () => {
    expect(readers[format]).toBeTypeOf("function");
  });

  test.each(Object.keys(hostileNames))("is what it is with %s for names", async (kind) => {
    const rendered = await renderedWith(format, hostileNames[kind]!);
    // Bytes are looked at where they are texts again.
    if (typeof rendered === "string") {
      inert(rendered);
      expect(Buffer.from(rendered).toString()).toBe(rendered);
      expect(rendered.endsWith("\n")).toBe(true);
    }
    const plain = await renderedWith(format, "plain");
    expect(await readers[format](rendered)).toEqual(await readers[format](plain));
  });
});
