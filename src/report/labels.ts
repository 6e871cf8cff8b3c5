import { formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import { busiestShare, saturatedShare } from "../forecast/bottleneck.ts";
import type { Forecast, SloVerdict } from "../forecast/forecast.ts";
import type { PoolFigures } from "../metrics/figures.ts";
import type { LatencyStats, Percentile } from "../metrics/latency-figures.ts";

/** Milliseconds for people; `n/a` where there is no figure. */
export const milliseconds = (value: number | null): string => (value === null ? "n/a" : formatDuration(value * 1e6));

/** Waits for the slowest, by what the others wait for; and for experts that are not on the device, fetched or computed elsewhere. */
const waits: Readonly<Partial<Record<Forecast["bottleneck"]["component"], string>>> = {
  promptWait: "wait for another rank's prompt",
  attentionWait: "wait for another rank's attention",
  expertWait: "wait for the busiest experts",
  expertFetch: "missing experts",
  rebalance: "experts move between ranks",
};

/** `kernelOverhead` as `kernel overhead`. */
export const componentLabel = (component: Forecast["bottleneck"]["component"]): string =>
  waits[component] ?? component.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/**
 * What limits a deployment, and by how much: `experts, 60.0% of step time`, `front end, busy 98.0% of the time`. Where
 * nothing is saturated it says so: the load is met, and only latency is to be gained.
 */
export function bottleneckLabel({ bottleneck: { component, share }, resources }: Forecast): string {
  const [part, percent] = [componentLabel(component), formatPercent(share)];
  if (component === "frontEnd") return `${part}, busy ${percent} of the time`;
  const busy = busiestShare(resources);
  if (busy >= saturatedShare) return `${part}, ${percent} of step time`;
  return `none, nothing is busy above ${formatPercent(busy)} of the time; most of a step: ${part}, ${percent}`;
}

/** How an SLO came out: `ok`, `FAIL`, or `warn` where a failure does not fail the run. */
export const verdictLabel = (slo: SloVerdict): "ok" | "warn" | "FAIL" =>
  slo.passed ? "ok" : slo.level === "warn" ? "warn" : "FAIL";

/** Distance to the limit; beyond ten times the limit as a multiple of it. */
export function marginLabel(margin: number | null): string {
  if (margin === null) return "";
  return margin < -9 ? `${formatNumber(1 - margin)}x the limit` : `margin ${formatPercent(margin)}`;
}

/** Why an SLO has no observation, or how many samples it stands on. */
export function basisLabel(slo: SloVerdict): string {
  return slo.reason ?? `n = ${formatCount(slo.samples)}`;
}

/** Error bands of the latencies, such as `TPOT mean 9 ms to 12 ms`; empty where there are none. */
export function bandLabels({ bands }: Forecast): string[] {
  if (bands === null) return [];
  const { tpot, ttft } = bands.metrics;
  const range = (name: string, { lowMs, highMs }: { readonly lowMs: number; readonly highMs: number }) =>
    `${name} ${milliseconds(lowMs)} to ${milliseconds(highMs)}`;
  return [...(tpot === null ? [] : [range("TPOT mean", tpot)]), ...(ttft === null ? [] : [range("TTFT p50", ttft)])];
}

/** How an error band came about. */
export const bandBasisLabel = (bands: NonNullable<Forecast["bands"]>): string => bandBasisLabels[bands.basis];

const bandBasisLabels = {
  validated: "errors of left-out deployments of its setup",
  setup: "errors of left-out setups",
  system: "errors of left-out systems",
  model: "errors of left-out models",
  modelAndSystem: "errors of left-out models and systems",
  engine: "errors of left-out engines",
  several: "errors with model, architecture and engine left out",
  unmeasured: "errors with model, architecture and engine left out, and of kernels of left-out architectures",
  observed: "errors of series with a point given",
  observedFar: "errors of series with a point given and nothing near",
} as const satisfies Record<NonNullable<Forecast["bands"]>["basis"], string>;

/** That nothing near a deployment was measured, and what was not; empty where something was. */
export const unvalidatedLabel = ({ bands }: Forecast): string =>
  bands === null || bands.unvalidated === null ? "" : `unvalidated: ${bands.unvalidated}`;

/** Ends of a band in percent of the forecast, such as `-9% to +12%`. */
const factorsLabel = ([low, high]: readonly [low: number, high: number]): string =>
  [low, high].map((factor) => `${factor < 1 ? "-" : "+"}${formatPercent(Math.abs(factor - 1), 0)}`).join(" to ");

/**
 * Beyond this share above or below the forecast a band is wide; a point that does not leave two thirds of it is not
 * worth a line.
 */
const wide = 0.2;
const narrowed = 2 / 3;

/** How to narrow a band that is wide; empty where it is not, or points of the deployment were given. */
export function narrowingLabel({ bands }: Forecast): string {
  if (bands === null) return "";
  const { factors, withPoint } = bands;
  const [low, high] = factors.tpot;
  if (low >= 1 - wide && high <= 1 + wide) return "";
  const width = ([from, to]: readonly [number, number]) => Math.log(to / from);
  if (width(withPoint.tpot) > narrowed * width(factors.tpot)) return "";
  return (
    `one measured point of this deployment (--observed FILE) narrows TPOT to ${factorsLabel(withPoint.tpot)} ` +
    `of the forecast, from ${factorsLabel(factors.tpot)}`
  );
}

/** What is served on what, in one line. */
export function deploymentLine({ deployment, pools, scaling, modelCache }: Forecast): string {
  // In the order of a saved result, whose keys are sorted: a page is the same, whether it is made of that or of the run.
  const byClass = Object.entries(deployment.formats).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const formats = [...new Set(byClass.map(([, format]) => format))].join("/");
  const model = `${deployment.model}${formats === "" ? "" : ` (${formats})`}`;
  if (modelCache !== undefined) {
    const kinds = pools
      ?.map(({ name, model: served, replicas }) => `${name} ${served}${copiesOf(replicas)}`)
      .join(", ");
    return (
      `${kinds ?? `${model}${copiesOf(modelCache.models)}`} in turn on ${deployment.devices} x ${deployment.device}, ` +
      `${mappingLabel(deployment.mapping)}, ${deployment.engine}`
    );
  }
  if (pools !== undefined)
    return `${model} in ${pools.length} pools on ${deployment.devices} devices: ${pools.map((pool) => poolLabel(pool, scaling)).join("; ")}`;
  const copies = copiesLabel(deployment.replicas, scaling !== undefined);
  return (
    `${model} on ${deployment.devices} x ${deployment.device}, ${mappingLabel(deployment.mapping)}${copies}, ` +
    deployment.engine
  );
}

/** Of how many models of one shape. */
const copiesOf = (variants: number): string => (variants > 1 ? ` x ${variants}` : "");

/** How many copies of the layout there are, or may be. */
const copiesLabel = (replicas: number, comeAndGo: boolean): string =>
  comeAndGo ? `, up to ${replicas} replicas` : replicas > 1 ? `, ${replicas} replicas` : "";

function poolLabel(
  { name, devices, device, mapping, replicas, engine }: PoolFigures,
  scaling: Forecast["scaling"] = [],
): string {
  const copies = copiesLabel(
    replicas,
    scaling.some(({ pool }) => pool === name),
  );
  return `${name} on ${devices} x ${device}, ${mappingLabel(mapping)}${copies}, ${engine}`;
}

/** A layout in one line: attention, then experts. */
function mappingLabel({ tp, cp, dp, pp, ep, etp, edp }: Forecast["deployment"]["mapping"]): string {
  const attention = `tp${tp}${cp > 1 ? ` cp${cp}` : ""} dp${dp} pp${pp}`;
  return `${attention} / ep${ep} etp${etp}${edp > 1 ? ` edp${edp}` : ""}`;
}

/**
 * A percentile of a latency. One of few samples is marked and given by its interval; where that ends beyond the
 * maximum, as a lower bound.
 */
export function percentileLabel(stats: LatencyStats, name: Percentile): string {
  const interval = stats.intervals[name];
  if (interval === undefined) return milliseconds(stats[name]);
  const { lowMs, highMs } = interval;
  if (highMs === null) return lowMs > 0 ? `>= ${milliseconds(lowMs)} *` : "n/a";
  return lowMs > 0 ? `${milliseconds(lowMs)} to ${milliseconds(highMs)} *` : `<= ${milliseconds(highMs)} *`;
}

/** What the mark of a percentile means; empty where none is marked. */
export const markNote = (stats: readonly LatencyStats[]): string =>
  stats.some(({ intervals }) => Object.keys(intervals).length > 0)
    ? "* fewer than ten samples lie beyond this percentile: where it lies with 95% probability, by order statistics"
    : "";

/** What became of a request, by its status. */
export const requestStatusWords: readonly string[] = ["completed", "rejected", "running", "waiting", "not arrived"];
