import { expect, test } from "vitest";
import { displayWidth } from "../../src/report/display-width.ts";
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
        bands: { ...bands, metrics: { tpot: null, ttft: null, outputTokensPerSecond: null, ...metrics } },
      }),
    );
  expect(only({ tpot: bands.metrics.tpot })).toContain("80% band: TPOT mean 180 ms to 230 ms\n");
  expect(only({})).not.toContain("80% band");
  expect(terminalSummary(overloaded())).not.toContain("80% band");
});

test("the Markdown report also gives the rate, and what the band rests on", () => {
  const text = markdownReport(forecast());
  expect(text).toContain("80% band (errors of its validated setup): TPOT mean 180 ms to 230 ms");
  expect(text).toContain("1,100 to 1,400 output tokens/s.");
  expect(markdownReport(forecast({ bands: { ...bands, basis: "far", nearest: null } }))).toContain(
    "80% band (far from anything validated)",
  );
  expect(markdownReport(forecast({ bands: null }))).not.toContain("80% band");
});
