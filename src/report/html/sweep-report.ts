import { formatCount, formatNumber } from "../../core/units.ts";
import type { SweepListing } from "../../plan/sweep/list-results.ts";
import { type Choice, choicesContent } from "./choices.ts";
import { reportPage } from "./document.ts";
import { element } from "./markup.ts";
import { plainTable } from "./table.ts";

/** A sweep as a page of its own: its configurations with the frontier, the best first, and why some have no forecast. */
export function sweepReport(listing: SweepListing): string {
  const { scenario, configurations, rows, counts, passed, overloaded, paths, figures, best, reasons } = listing;
  const states = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${formatCount(count)} ${state}`);
  return reportPage({
    title: `Sweep of ${scenario}`,
    subtitle: [`${formatCount(configurations)} configurations over ${paths.join(", ")}: ${states.join(", ")}`],
    verdict: element(
      "p",
      { class: `verdict ${passed === 0 ? "bad" : "good"}` },
      passed === null
        ? `${formatCount(rows)} configurations have a result; no SLO was stated to judge them by.`
        : `${formatCount(passed)} of ${formatCount(rows)} configurations with a result meet their SLOs; ${formatCount(overloaded)} cannot keep up with their load.`,
    ),
    sections: [
      {
        id: "configurations",
        title: "Configurations",
        content: choicesContent({
          name: "Configurations",
          columns: [
            { header: "point", right: true },
            ...paths.map((header) => ({ header, right: false })),
            { header: "load", right: false },
            ...figures.map(({ name, unit }) => ({ header: `${name}, ${unit}`, right: true })),
          ],
          choices: best.map((row) => choiceOf(row, listing)),
          caption: `The best ${formatCount(best.length)} of ${formatCount(rows)} configurations, users at their median TPOT.`,
        }),
      },
      {
        id: "reasons",
        title: "Without a forecast",
        content:
          reasons.length === 0
            ? null
            : plainTable(
                "Why there is no forecast",
                ["status", "reason", "configurations"],
                reasons.map(({ status, reason, count }) => [status, reason, formatCount(count)]),
              ),
      },
    ],
    results: listing,
  });
}

function choiceOf(row: SweepListing["best"][number], { paths, figures }: SweepListing): Choice {
  const { point, values, load, passed } = row;
  const of = (name: string): number | null => row.figures[figures.findIndex((figure) => figure.name === name)] ?? null;
  const tpot = of("tpot.p50");
  return {
    id: `p-${point}`,
    name: paths.map((path, i) => `${path}=${values[i] ?? ""}`).join(", "),
    perUser: tpot === null || tpot <= 0 ? null : 1000 / tpot,
    perDevice: of("throughputPerDevice"),
    series: passed ? "meets its SLOs" : "misses an SLO",
    ...(passed ? { tone: "good" } : {}),
    cells: [
      formatCount(point),
      ...values.map((value) => String(value ?? "")),
      load,
      ...row.figures.map((value) => (value === null ? "" : formatNumber(value, 4))),
    ],
    values: [point, ...values.map((value) => (typeof value === "number" ? value : null)), null, ...row.figures],
  };
}
