import { formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { Effect } from "../forecast/explain/explanation.ts";
import type { PathMetric } from "../forecast/explain/path-metrics.ts";
import type { PhaseKind } from "../forecast/explain/request-path.ts";
import type { AdviceUnit } from "../forecast/forecast.ts";
import { latencies } from "../metrics/latencies.ts";
import type { StepPart } from "../sim/outcome/step-parts.ts";
import { componentLabel, milliseconds } from "./labels.ts";

/** Phases of a request's time. */
export const phaseLabels = {
  tokenising: "taken in and tokenised",
  queue: "queue",
  prefill: "prefill",
  handover: "hand-over between pools",
  decode: "decode",
  besidePrompts: "decode beside others' prompts",
  between: "between steps, of others",
  preempted: "preempted",
  recompute: "computed again after preemption",
} as const satisfies Record<PhaseKind, string>;

/** Parts of a step; dispatch and combine are shown as one. */
export const partLabel = (part: StepPart | "exchange"): string =>
  part === "exchange"
    ? "exchange (dispatch, combine)"
    : part === "stageWait"
      ? "wait for a pipeline stage"
      : part === "pipeline"
        ? "hand-off between stages"
        : componentLabel(part);

/** The latency that is explained. */
export const pathMetricLabel = (metric: PathMetric): string => latencies[metric].label;

/** `p99`, `p99.9`. */
export const percentileName = (p: number): string => (p === 0.5 ? "median" : `p${formatNumber(p * 100, 5)}`);

/** A figure in its unit. */
export function figureText(value: number, unit: AdviceUnit): string {
  if (unit === "ms") return milliseconds(value);
  return unit === "share" ? formatPercent(value) : formatNumber(value, 4);
}

/** `18.0% better +-2.1%`; a gain inside its interval is called that. */
export function effectText({ gain, halfWidth, clear }: Effect): string {
  const width = halfWidth === null ? "" : ` ±${formatPercent(halfWidth)}`;
  const size = `${formatPercent(Math.abs(gain))}${width}`;
  if (gain === 0) return "no change";
  return clear ? `${size} ${gain > 0 ? "better" : "worse"}` : `in the noise (${gain > 0 ? "" : "-"}${size})`;
}

/** A time, of which there may be none. */
export const timeText = (ns: number): string => (ns === 0 ? "-" : formatDuration(ns));
