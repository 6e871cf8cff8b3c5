import { describe, expect, test } from "vitest";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { displayWidth } from "../../src/report/display-width.ts";
import { githubExport } from "../../src/report/github.ts";
import { jsonExport } from "../../src/report/json.ts";
import { junitExport } from "../../src/report/junit.ts";
import { markdownReport } from "../../src/report/markdown.ts";
import { terminalSummary } from "../../src/report/terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { forecast, overloaded } from "./build.ts";

const bands = forecast().bands as NonNullable<ReturnType<typeof forecast>["bands"]>;

test("the summary has one line of error bands below the latencies, within 80 cells", () => {
  const lines = terminalSummary(forecast(), plainStyle, "compact", 80).split("\n");
  const line = lines.findIndex((text) => text.startsWith("  80% band: "));
  expect(lines[line]).toBe("  80% band: TPOT mean 180 ms to 230 ms, TTFT p50 80 ms to 120 ms");
  expect(displayWidth(lines[line] ?? "")).toBeLessThanOrEqual(80);
  expect(line).toBeGreaterThan(lines.findIndex((text) => /^ +queue/.test(text)));
});

test("a metric without a band is left out, and without any there is no line", () => {
  const only = (metrics: Partial<typeof bands.metrics>) =>
    terminalSummary(
      forecast({
        bands: {
          ...bands,
          metrics: {
            tpot: null,
            ttft: null,
            outputTokensPerSecond: null,
            usdPerMillionOutputTokens: null,
            goodput: null,
            ...metrics,
          },
        },
      }),
    );
  expect(only({ tpot: bands.metrics.tpot })).toContain("80% band: TPOT mean 180 ms to 230 ms\n");
  expect(only({})).not.toContain("80% band");
  expect(terminalSummary(overloaded())).not.toContain("80% band");
});

test("the Markdown report also says what the band rests on", () => {
  const text = markdownReport(forecast());
  expect(text).toContain("80% band (errors of left-out deployments of its setup): TPOT mean 180 ms to 230 ms");
  expect(markdownReport(forecast({ bands: { ...bands, basis: "engine", nearest: null } }))).toContain(
    "80% band (errors of left-out engines)",
  );
  expect(markdownReport(forecast({ bands: null }))).not.toContain("80% band");
});

test("throughput and cost have a band below their table, which names the runs it was read off", () => {
  const line = "80% band: 1,100 to 1,400 output tokens/s, $1.80 to $2.30 per million output tokens";
  expect(terminalSummary(forecast())).toContain(line);
  expect(markdownReport(forecast())).toContain(`${line}.`);
  const end = {
    factor: 0.9,
    verdict: "stable",
    outputTokensPerSecond: 1400,
    usdPerMillionOutputTokens: 1.8,
    goodput: 1,
    sustainedRequestsPerSecond: null,
  } as const;
  const slow = { ...end, factor: 1.15, verdict: "overloaded", goodput: 0, sustainedRequestsPerSecond: 4.2 } as const;
  const metrics = { ...bands.metrics, goodput: { low: 0, high: 1 } };
  const text = terminalSummary(forecast({ bands: { ...bands, metrics, ends: { fast: end, slow } } })).replace(
    /\s+/g,
    " ",
  );
  expect(text).toContain(
    "0.0% to 100.0% goodput; runs with all durations x 0.9 and x 1.15; overloaded at the slow end, sustains 4.2 requests/s",
  );
});

describe("a deployment with nothing near", () => {
  const unvalidated = "no served measurement with toyserve";
  const wide = {
    ...bands,
    basis: "engine",
    unvalidated,
    nearest: null,
    factors: { tpot: [0.7, 1.4], ttft: [0.6, 1.7] },
  } as const;

  test("is called unvalidated in every output", () => {
    for (const one of [
      forecast({ bands: wide }),
      { ...overloaded(), bands: { ...wide, metrics: overloaded().bands!.metrics } },
    ])
      for (const render of [
        (of: Forecast) => terminalSummary(of, plainStyle, "compact"),
        markdownReport,
        ...[jsonExport, junitExport, githubExport].map((to) => (of: Forecast) => to.render([of])),
      ]) {
        const text = render(one).replace(/\s+/g, " ");
        expect(text).toContain("unvalidated");
        expect(text).toContain(unvalidated);
      }
  });

  test("and no other is", () => {
    const words = [terminalSummary(forecast()), markdownReport(forecast()), junitExport.render([forecast()])];
    for (const text of words) expect(text).not.toContain("unvalidated");
  });

  test("is told what one measured point of it leaves of the band", () => {
    const line =
      "one measured point of this deployment (--observed FILE) narrows TPOT to -10% to +10% of the forecast, from -30% to +40%";
    expect(terminalSummary(forecast({ bands: wide })).replace(/\s+/g, " ")).toContain(line);
    expect(markdownReport(forecast({ bands: wide })).replaceAll("\\", "")).toContain(line.replace("one", "One"));
  });

  test("a band that is narrow, or that a point does not narrow, has no such line", () => {
    for (const one of [
      bands,
      { ...wide, factors: { ...wide.factors, tpot: [0.85, 1.15] } },
      { ...wide, withPoint: wide.factors },
    ] as const)
      expect(terminalSummary(forecast({ bands: one }))).not.toContain("one measured point");
  });
});
