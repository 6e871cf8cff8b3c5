import { formatPercent } from "../../core/units.ts";
import type { Comparison, MetricChange } from "../../forecast/compare/comparison.ts";
import { withUnit } from "../baseline-labels.ts";
import { type ToldChange, toldVerdicts } from "./told-changes.ts";

/** A value of a metric with its unit; `n/a` where a result lacks it. */
export const valueCell = ({ unit }: MetricChange, value: number | null): string =>
  value === null ? "n/a" : withUnit[unit](value);

/** How much a metric moved, with its sign: `+32.8%`, `-12 ms` from zero. */
export function changeCell(change: MetricChange): string {
  const { difference, relative, before } = change;
  if (difference === null) return before === null ? "new" : "gone";
  if (difference === 0) return "same";
  const sign = difference > 0 ? "+" : "-";
  const size = relative === null ? valueCell(change, Math.abs(difference)) : formatPercent(Math.abs(relative));
  return `${sign}${size}`;
}

/** Half-width of the interval of the difference, as a share where the change is one. */
export function intervalCell(change: MetricChange): string {
  const { halfWidth, before } = change;
  if (halfWidth === null) return "";
  return `±${before === null || before === 0 ? valueCell(change, halfWidth) : formatPercent(Math.abs(halfWidth / before))}`;
}

/** Columns of {@link toldCells}; scenarios are named where there are several. */
export const toldHeader = (severalScenarios: boolean): string[] => [
  "",
  ...(severalScenarios ? ["scenario"] : []),
  "metric",
  "before",
  "now",
  "change",
  "interval",
];

/** A change as a row. */
export function toldCells({ scenario, verdict, metric, slo }: ToldChange, severalScenarios: boolean): string[] {
  const named = [toldVerdicts[verdict], ...(severalScenarios ? [scenario] : [])];
  if (metric !== undefined)
    return [
      ...named,
      metric.metric,
      valueCell(metric, metric.before),
      valueCell(metric, metric.after),
      changeCell(metric),
      intervalCell(metric),
    ];
  const stand = (side: { readonly valueText: string } | null | undefined) => side?.valueText ?? "n/a";
  return [...named, `SLO ${slo?.metric} ${slo?.expression}`, stand(slo?.before), stand(slo?.after), sloMove(slo), ""];
}

function sloMove(slo: ToldChange["slo"]): string {
  if (slo?.after === null) return "no longer asked for";
  const now = slo?.after.passed === true ? "met" : "fails";
  return slo?.before === null ? `new, ${now}` : `${now} now`;
}

/** Whether a comparison is of more than one scenario. */
export const isOfSeveral = ({ scenarios, unmatched }: Comparison): boolean => scenarios.length + unmatched.length > 1;
