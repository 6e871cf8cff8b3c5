import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oneLine } from "../../src/core/printable.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { readForecast } from "../../src/forecast/read-forecast.ts";
import { type ExportFormat, exportFormats } from "../../src/report/export-formats.ts";
import type { AnyExporter } from "../../src/report/exporter.ts";
import { exporters } from "../../src/report/exporters.ts";
import { markdownText } from "../../src/report/markdown-text.ts";

import { terminalSummary } from "../../src/report/terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { delta, forecast, overloaded, stats, tooShort, verdict } from "./build.ts";
import { parseXml } from "./parse-xml.ts";
import { renderedCells, resolved } from "./rendered-markdown.ts";

const csvRows = (forecasts: readonly Forecast[]): Record<string, string>[] =>
  parse(exporters.csv.render(forecasts), { columns: true });

/** Names as people and attackers write them. */
const anyName = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "=cmd|' /C calc'!A0",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "a|b",
    "a\\|b",
    "`a`|``b",
    "<script>alert(1)</script>",
    "![x](http://example.org/x.png)",
    "[x](javascript:alert(1))",
    "a\n\n# heading\n| a | b |",
    "\u001b[2J\u001b]0;title\u0007",
    "\u202egpj.exe",
    "]]><x/>",
    "\ud800",
    "</details>",
    'a,b"c',
    "盘古",
  ),
);

const named = (name: string) =>
  forecast({
    scenario: { name, description: name, file: name },
    deployment: { ...forecast().deployment, model: name, device: name, placement: name, offload: name, engine: name },
    slos: [
      verdict({ metric: `ttft{class:${name}}`, reason: name, value: null, passed: false }),
      verdict({ metric: `tpot{class:${name}}`, reason: name, value: null, passed: false, level: "warn" }),
    ],
    latencyByClass: { [name]: forecast().latency, [`${name}2`]: forecast().latency },
    ledger: [{ topic: name, fidelity: "assumed", detail: name }],
    inputs: [{ role: "scenario", name, sha256: "ab".repeat(32) }],
    memory: { ...forecast().memory, tiers: forecast().memory.tiers.map((tier) => ({ ...tier, tier: name })) },
  });

describe("every format", () => {
  test("shows every SLO with its verdict", () => {
    const one = forecast();
    const markdown = renderedCells(exporters.markdown.render([one]));
    const github = renderedCells(exporters.github.render([one]));
    const terminal = terminalSummary(one);
    const junit = parseXml(exporters.junit.render([one])).all("testcase");
    const csv = csvRows([one]);
    const json = readForecast(exporters.json.render([one]), "result.json");
    expect(json.slos).toEqual(one.slos);
    const labels = ["ok", "FAIL", "warn"];
    for (const [i, slo] of one.slos.entries()) {
      const label = labels[i] ?? "";
      expect(csv.find((row) => row["metric"] === `${slo.metric} ${slo.expression}`)).toMatchObject({
        value: slo.value === null ? "" : String(slo.value),
        verdict: label.toLowerCase(),
      });
      for (const cells of [markdown, github])
        expect(cells.find((row) => row[1] === slo.metric && row[2] === slo.expression)?.[0]).toBe(label);
      const line = terminal.split("\n").find((text) => text.includes(slo.metric) && text.includes(slo.expression));
      expect(line?.trim().split(/\s+/)[0]).toBe(label);
      const testCase = junit.find((node) => node.attributes["name"] === `${slo.metric} ${slo.expression}`);
      const failed = !slo.passed && slo.level === "error";
      expect(testCase?.children.map((child) => child.name)).toEqual(
        slo.passed ? [] : failed ? ["failure"] : ["system-out"],
      );
    }
  });

  test("gives equal bytes for equal forecasts", async () => {
    for (const exporter of Object.values<AnyExporter>(exporters))
      expect(await exporter.render([forecast(), overloaded()])).toEqual(
        await exporter.render([forecast(), overloaded()]),
      );
  });

  test("has a description and a row in the documentation, and is written anew or added to as text", () => {
    const page = readFileSync("docs/ci.md", "utf8");
    expect(Object.keys(exporters)).toEqual(Object.keys(exportFormats));
    for (const [name, exporter] of Object.entries<AnyExporter>(exporters)) {
      expect(exportFormats[name as ExportFormat]).toMatch(/^\S.{5,70}$/);
      expect(page).toContain(`\n| \`${name}\` | `);
      if (exporter.appends) expect(typeof exporter.render([forecast()])).toBe("string");
    }
  });

  test("marks a percentile of few samples and gives its interval", () => {
    const rows = csvRows([forecast()]);
    const row = (metric: string) => rows.find((each) => each["metric"] === metric);
    expect(row("ttft_p999")).toMatchObject({ value: "290", verdict: "few samples" });
    expect(row("ttft_p999_low")).toMatchObject({ value: "260", unit: "ms" });
    expect(row("ttft_p999_high")).toMatchObject({ value: "" });
    expect(row("ttft_p99")).toMatchObject({ verdict: "" });
    expect(row("ttft_p99_low")).toBeUndefined();
    const few = { ...stats(100, 209), intervals: { p99: { lowMs: 240, highMs: null } } };
    const text = exporters.markdown.render([forecast({ latency: { ...forecast().latency, ttft: few } })]);
    expect(text).toContain("&gt;= 240 ms \\*");
    expect(text).toContain("\\* fewer than ten samples");
  });

  test("says that a run is too short, and by how much", () => {
    const rows = csvRows([tooShort()]);
    const value = (metric: string) => rows.find((each) => each["metric"] === metric)?.["value"];
    expect([value("too_short"), value("overloaded"), value("requests_needed")]).toEqual(["1", "0", "4300"]);
    expect(exporters.markdown.render([tooShort()])).toContain("Too short to tell: 2,100 requests arrive in");
    expect(exporters.junit.render([tooShort()])).toContain("TOO SHORT to tell, about 4,300 requests would do");
  });

  test("gives no latency of an overloaded deployment", () => {
    const one = overloaded();
    const shown = [612, ...Object.values(one.latency).flatMap(({ p50, p90, p99 }) => [p50, p90, p99])].slice(1);
    for (const text of [terminalSummary(one), exporters.markdown.render([one]), exporters.github.render([one])]) {
      for (const value of shown) expect(text).not.toMatch(new RegExp(`\\b${value} ms`));
      expect(text).toMatch(/overloaded/i);
    }
    const latencies = csvRows([one]).filter((row) => /^(ttft|tpot|itl|e2e|queue)_/.test(row["metric"] ?? ""));
    expect(latencies.length).toBeGreaterThan(30);
    expect(latencies.every((row) => row["value"] === "")).toBe(true);
    expect(csvRows([forecast()]).find((row) => row["metric"] === "ttft_p50")?.["value"]).toBe("90");
  });

  test("calls an interrupted run interrupted", () => {
    const one = forecast({ interrupted: true, slos: [verdict()], passed: true });
    for (const text of [terminalSummary(one), exporters.markdown.render([one]), exporters.github.render([one])]) {
      expect(text).toMatch(/INTERRUPTED at 2,090 of 2,100 requests/);
      expect(text).not.toMatch(/PASS/);
    }
    expect(parseXml(exporters.junit.render([one])).attributes["errors"]).toBe("1");
    expect(csvRows([one]).find((row) => row["metric"] === "interrupted")?.["value"]).toBe("1");
    expect(JSON.parse(exporters.json.render([one])).interrupted).toBe(true);
  });

  test("for people or pipelines names the scenarios that gave no forecast", () => {
    const failures = [{ file: "broken.yaml", message: "broken.yaml:3:1: model: expected a mapping, found nothing" }];
    for (const exporter of [exporters.markdown, exporters.junit, exporters.github, exporters.sarif]) {
      expect(exporter.reportsFailures).toBe(true);
      expect(exporter.render([], { failures })).toContain("broken.yaml:3:1: model: expected a mapping");
      expect(exporter.render([forecast()], { failures })).toContain("broken.yaml:3:1");
    }
  });
});

describe("json", () => {
  test("is the forecast, and reads back as it", () => {
    expect(readForecast(exporters.json.render([forecast()]), "result.json")).toEqual(forecast());
    expect(JSON.parse(exporters.json.render([forecast(), overloaded()]))).toEqual([forecast(), overloaded()]);
  });

  test("is an array for a run of several scenarios, however many of them gave a forecast", () => {
    const failures = [{ file: "broken.yaml", message: "broken" }];
    expect(JSON.parse(exporters.json.render([forecast()], { failures }))).toEqual([forecast()]);
  });
});

describe("csv", () => {
  test("is a table of five columns whatever the names, and no cell of it is a formula", () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const text = exporters.csv.render([named(name)]);
        const rows = parse(text) as string[][];
        expect(new Set(rows.map((row) => row.length))).toEqual(new Set([5]));
        for (const row of rows.slice(1))
          for (const [column, cell] of row.entries())
            if (column !== 2) expect(cell).not.toMatch(/^[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/);
      }),
    );
  });

  test("keeps every digit of the figures", () => {
    const odd = forecast({ latency: { ...forecast().latency, ttft: stats(1 / 3) } });
    const row = csvRows([odd]).find(({ metric }) => metric === "ttft_mean");
    expect(Number(row?.["value"])).toBe(1 / 3);
  });
});

describe("figures as rows", () => {
  const one = forecast();
  const rows = csvRows([one]);
  const row = (metric: string) => rows.find((candidate) => candidate["metric"] === metric);

  test("carry the unit of their quantity", () => {
    const units = new Map<string, Set<string>>();
    for (const { metric = "", unit = "" } of rows.slice(0, rows.length - one.slos.length)) {
      const quantity = metric
        .replace(/\{.*\}$/, "")
        .replace(/^(ttft|tpot|itl|e2e|queue)_.*/, "latency")
        .replace(/^time_share_.*/, "time_share");
      units.set(quantity, (units.get(quantity) ?? new Set()).add(unit));
    }
    expect(Object.fromEntries([...units].map(([quantity, found]) => [quantity, [...found].join()]))).toEqual({
      latency: "ms",
      output_tokens_per_second: "tok/s",
      output_tokens_per_second_per_device: "tok/s",
      requests_per_second: "req/s",
      goodput: "share",
      interrupted: "flag",
      overloaded: "flag",
      too_short: "flag",
      requests_needed: "requests",
      requests: "requests",
      completed: "requests",
      rejected: "requests",
      unfinished: "requests",
      preemptions: "requests",
      sustained_requests_per_second: "req/s",
      sustained_half_width: "req/s",
      imbalance: "ratio",
      expert_skew: "ratio",
      distinct_experts_per_step: "experts",
      balancedness: "ratio",
      imbalance_score: "ratio",
      ranks_per_token: "ratio",
      nodes_per_token: "ratio",
      exchange_between_nodes: "share",
      expert_cache_hit: "share",
      expert_cache_hit_optimum: "share",
      expert_cache_hit_best_static: "share",
      prefetch_accuracy: "share",
      prefetch_coverage: "share",
      prefetch_waste: "share",
      prefetch_late_stall: "share",
      rebalances: "maps",
      rebalance_bytes: "B",
      rebalance_share: "share",
      balancedness_before: "ratio",
      balancedness_after: "ratio",
      kv_peak: "share",
      prefix_hit: "share",
      acceptance_length: "tokens",
      cost: "usd/Mtok",
      cost_all_tokens: "usd/Mtok",
      cost_input: "usd/Mtok",
      cost_output: "usd/Mtok",
      energy: "J/tok",
      time_share: "share",
      memory_used: "B",
      memory_capacity: "B",
    });
  });

  test("are those of the forecast: each latency its own percentile, each price its own, each class its own", () => {
    const value = (metric: string) => Number(row(metric)?.["value"]);
    for (const part of ["mean", "p50", "p90", "p95", "p99", "p999", "max"] as const) {
      expect(value(`ttft_${part}`)).toBe(one.latency.ttft[part]);
      expect(value(`e2e_${part}{class:chat}`)).toBe(one.latencyByClass["chat"]?.e2e[part]);
    }
    expect(["cost", "cost_all_tokens", "cost_input", "cost_output"].map(value)).toEqual([2.25, 0.64, 0.18, 1.8]);
    expect(["requests", "completed", "rejected", "preemptions"].map(value)).toEqual([2100, 2090, 10, 3]);
    expect(["expert_cache_hit", "expert_cache_hit_optimum", "expert_cache_hit_best_static"].map(value)).toEqual([
      0.6, 0.72, 0.65,
    ]);
  });

  test("of SLOs are in the unit of their expression, of regressions in shares of the baseline", () => {
    expect(row("ttft p(99)<800ms")).toMatchObject({ value: "612", unit: "ms", verdict: "ok" });
    expect(row("e2e p(99.9)<3s")).toMatchObject({ value: "2.9", unit: "s", verdict: "warn" });
    const worse = csvRows([forecast({ baseline: [delta({ regression: 0.25 })] })]).at(-1);
    expect(worse).toMatchObject({ metric: "baseline ttft.p99", value: "0.25", unit: "share", verdict: "fail" });
  });
});

describe("markdown", () => {
  test("keeps its structure whatever the names", () => {
    const structure = (text: string) =>
      text.split("\n").map((line) => line.replace(/[^|]/g, "").length * (line.startsWith("|") ? 1 : 0));
    fc.assert(
      fc.property(anyName, (name) => {
        const text = exporters.markdown.render([named(name)]);
        expect(structure(text)).toEqual(structure(exporters.markdown.render([named("plain")])));
        expect(text.replace(/<\/?(details|summary)>/g, "")).not.toMatch(/[<>]/);
        // No link, image, emphasis or code survives: their characters are escaped everywhere.
        expect(text.replace(/^### /gm, "")).not.toMatch(/(?<!\\)[`*_~[\]!#](?!\d+;)/);
      }),
    );
  });
});

describe("text in markdown", () => {
  test("is shown as it is, on one line", () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(resolved(markdownText(name))).toBe(oneLine(name));
      }),
    );
    expect(resolved(markdownText("a|b <c> & [d](http://e) `f` \\| *g* _h_"))).toBe(
      "a|b <c> & [d](http://e) `f` \\| *g* _h_",
    );
  });
});

describe("github", () => {
  test("stays within 1 MiB with what the file holds already, and says what it leaves out", () => {
    const detail = "x".repeat(5000);
    const long = forecast({ ledger: Array.from({ length: 60 }, () => ({ topic: "t", fidelity: "assumed", detail })) });
    for (const presentBytes of [0, 500_000, 1_040_000, 1_048_500, 2_000_000]) {
      const text = exporters.github.render(Array(8).fill(long), { presentBytes });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(Math.max(0, 1024 * 1024 - presentBytes));
    }
    // Reports that do not fit keep their headline.
    const text = exporters.github.render(Array(8).fill(long));
    expect(text.match(/^### small/gm)?.length).toBe(8);
    expect(exporters.github.render(Array(8).fill(long), { presentBytes: 1_048_000 })).toMatch(
      /7 scenarios are left out/,
    );
  });
});

describe("junit", () => {
  test("counts cases, failures and errors, whatever the names", () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const failures = [{ file: name, message: name }];
        const root = parseXml(exporters.junit.render([named(name), forecast()], { failures }));
        expect(root.name).toBe("testsuites");
        const count = (tag: string) => String(root.all(tag).length);
        expect(root.attributes).toMatchObject({
          tests: count("testcase"),
          failures: count("failure"),
          errors: count("error"),
        });
        expect([count("testcase"), count("failure"), count("error")]).toEqual(["6", "2", "1"]);
      }),
    );
  });

  test("carries no time of day", () => {
    const stamps = parseXml(exporters.junit.render([forecast()]))
      .all("testsuite")
      .map((suite) => suite.attributes["timestamp"]);
    expect(stamps).toEqual(["1970-01-01T00:00:00"]);
  });

  test("fails a case for a regression against a baseline, with units and percent", () => {
    const root = parseXml(exporters.junit.render([forecast({ slos: [], baseline: [delta()] })]));
    expect(root.attributes["failures"]).toBe("1");
    expect(root.all("testcase")[0]?.attributes["name"]).toBe("baseline ttft.p99");
    expect(root.all("failure")[0]?.attributes["message"]).toBe(
      "100 ms before, 150 ms now: worse by 50.0%; limit 5%, interval of the difference ±12.0%",
    );
  });
});

describe("a comparison with a baseline", () => {
  const odd = [
    delta({ metric: "queue.p50", before: 0, after: 2, worseBy: 2, regression: null, halfWidth: 0.5 }),
    delta({
      metric: "goodput",
      unit: "share",
      before: 0.99,
      after: null,
      worseBy: null,
      regression: null,
      halfWidth: null,
    }),
    delta({
      metric: "throughput",
      unit: "tok/s",
      before: 600,
      after: 630,
      worseBy: -30,
      regression: -0.05,
      failed: false,
    }),
  ];

  test("is in every report, with units", () => {
    const one = forecast({ baseline: odd });
    for (const text of [
      terminalSummary(one),
      resolved(exporters.markdown.render([one])),
      exporters.junit.render([one]),
    ])
      for (const part of ["0 ns", "2 ms", "worse, from zero", "±500 us", "99.00%", "missing now"])
        expect(text).toContain(part);
    for (const text of [terminalSummary(one, plainStyle, "full"), exporters.markdown.render([one])])
      expect(text).toMatch(/throughput .*600 tok\/s .*630 tok\/s .*better by 5.0%/);
    const rows = csvRows([one]).filter((row) => row["metric"]?.startsWith("baseline "));
    expect(rows.map((row) => [row["value"], row["verdict"]])).toEqual([
      ["", "fail"],
      ["", "fail"],
      ["-0.05", "ok"],
    ]);
  });
});
