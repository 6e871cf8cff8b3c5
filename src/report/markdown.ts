import { printable } from "../core/errors.ts";
import { formatDuration, formatNumber } from "../core/units.ts";
import { type Forecast, latencyMetrics } from "../forecast/forecast.ts";
import type { Exporter } from "./exporter.ts";
import { headline } from "./headline.ts";

/** Text that cannot end a table cell, open markup or start HTML. */
export function markdownText(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("|", "\\|")
    .replaceAll("`", "\\`")
    .replaceAll("\n", " ");
}

const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

/** A headline, the SLO table, the latency table, and the ledger folded away. */
export function markdownReport(forecast: Forecast): string {
  const { scenario, deployment, slos, ledger, saturation } = forecast;
  const { tp, dp, pp, ep, etp } = deployment.mapping;
  const lines = [
    `### ${markdownText(scenario.name)}: ${markdownText(headline(forecast))}`,
    "",
    `${markdownText(deployment.model)} on ${deployment.devices} x ${markdownText(deployment.device)}, ` +
      `tp${tp} dp${dp} pp${pp} / ep${ep} etp${etp}, ${markdownText(deployment.engine)}`,
    "",
  ];
  if (slos.length > 0) {
    lines.push(row(["", "SLO", "limit", "observed", "samples", "note"]), row(Array(6).fill("---")));
    for (const slo of slos)
      lines.push(
        row([
          slo.passed ? "pass" : slo.level === "warn" ? "warn" : "**fail**",
          markdownText(slo.metric),
          `\`${slo.expression.replaceAll("`", "")}\``.replaceAll("|", "\\|"),
          markdownText(slo.observedText),
          String(slo.samples),
          markdownText(slo.reason ?? ""),
        ]),
      );
    lines.push("");
  }
  if (saturation.verdict !== "overloaded") {
    const ms = (value: number | null) => (value === null ? "n/a" : formatDuration(value * 1e6));
    lines.push(row(["latency", "mean", "p50", "p90", "p99", "n"]), row(Array(6).fill("---")));
    for (const metric of latencyMetrics) {
      const s = forecast.latency[metric];
      lines.push(row([metric.toUpperCase(), ms(s.mean), ms(s.p50), ms(s.p90), ms(s.p99), String(s.n)]));
    }
    lines.push("");
  } else lines.push(`Overloaded: ${markdownText(saturation.reason)}`, "");
  lines.push(
    `Bottleneck: ${forecast.bottleneck.component}, ${formatNumber(forecast.bottleneck.share * 100)} % of step time.`,
    "",
  );
  lines.push(
    "<details><summary>Fidelity ledger</summary>",
    "",
    row(["fidelity", "topic", "detail"]),
    row(Array(3).fill("---")),
  );
  for (const entry of ledger) lines.push(row([entry.fidelity, markdownText(entry.topic), markdownText(entry.detail)]));
  lines.push("", "</details>", "");
  return lines.join("\n");
}

export const markdownExport: Exporter = {
  description: "headline, SLO and latency tables, ledger folded",
  render: (forecasts) => forecasts.map(markdownReport).join("\n"),
};
