import { formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { AdviceFigure, Forecast } from "../forecast/forecast.ts";
import { milliseconds } from "./labels.ts";

const formats = {
  ms: milliseconds,
  share: (value) => formatPercent(value),
  number: (value) => formatNumber(value, 4),
} as const satisfies Record<AdviceFigure["unit"], (value: number) => string>;

/** `TPOT p50 268 ms -> 155 ms`. */
function change({ metric, unit, before, after }: AdviceFigure): string {
  const format = formats[unit];
  return `${metric} ${format(before)} -> ${format(after)}`;
}

/** What helped against the bottleneck and by how much, or that nothing did; empty where nothing was tried. */
export function adviceLines({ bottleneck: { advice } }: Forecast): string[] {
  if (advice === null) return [];
  const { metric, requests, tried, helps } = advice;
  if (tried === 0) return ["advice: none, no change on the same devices applies"];
  const length = `over ${formatCount(requests)} requests`;
  if (helps.length === 0) {
    const changes = tried === 1 ? "the one change" : `none of the ${tried} changes`;
    return [`advice: none, ${changes} tried ${length} ${tried === 1 ? "does not improve" : "improves"} ${metric}`];
  }
  return helps.map((help) => {
    const costs = help.costs.length === 0 ? "" : `, at the cost of ${help.costs.map(change).join(", ")}`;
    return `advice: ${help.text} (--set ${help.set.join(" --set ")}): ${change(help)} ${length}${costs}`;
  });
}
