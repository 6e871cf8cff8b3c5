import { mean } from "../../core/statistics.ts";
import type { SimConfig } from "../../sim/config.ts";
import type { LedgerEntry, Saturation } from "../../sim/result.ts";
import type { Forecast, ForecastBands } from "../forecast.ts";
import type { ResolvedScenario } from "../resolved.ts";
import { bandsFor, type ErrorBands } from "./bands.ts";
import { errorBandTable, type ValidatedGroup } from "./error-band-table.ts";
import { type GroupKey, groupDistance } from "./nearest-group.ts";
import { unvalidatedFeatures } from "./unvalidated-features.ts";

/** What of a run error bands are put around. */
interface Outcome {
  readonly saturation: Saturation["verdict"];
  readonly latency: Forecast["latency"];
  readonly outputTokensPerSecond: number;
}

/** How far off a forecast may be: its error bands, and what they rest on. */
interface Accuracy {
  readonly bands: ForecastBands | null;
  readonly ledger: LedgerEntry;
}

/** Error bands of a forecast and their entry in the fidelity ledger; an overloaded deployment has no bands. */
export function accuracyOf(resolved: Pick<ResolvedScenario, "config" | "observed">, outcome: Outcome): Accuracy {
  const { config, observed = false } = resolved;
  const { model, engine, node } = config;
  const key = { model: model.id, device: node.device.id, engine: engine.id };
  const unvalidated = unvalidatedFeatures(config, errorBandTable.devicesMax);
  const bands = bandsFor({ ...key, observed, unvalidated });
  const given = observed ? "adjusted to measured points of the deployment; " : "";
  const detail = given + (bands.nearest === null ? farText(key, unvalidated) : nearText(key, bands.nearest));
  const fidelity = bands.nearest === null ? "assumed" : "fitted";
  return { bands: forecastBands(bands, outcome, handlingMs(config)), ledger: { topic: "accuracy", fidelity, detail } };
}

/** Handling of a request of mean length before it can be scheduled, ms: no queue, although it waits. */
function handlingMs({ engine, workload }: SimConfig): number {
  const { promptTokens } = workload.requests;
  const tokens = promptTokens.length === 0 ? 0 : mean(Float64Array.from(promptTokens));
  return (engine.requestOverheadNs + engine.promptTokenOverheadNs * tokens) / 1e6;
}

/** Requests that wait longer than they are prefilled show a queue, whose error was not measured. */
const queueShareMax = 0.5;

function forecastBands(bands: ErrorBands, outcome: Outcome, handling: number): ForecastBands | null {
  const { saturation, latency, outputTokensPerSecond } = outcome;
  const { tpot, ttft, queue } = latency;
  if (saturation === "overloaded" || (tpot.mean === null && ttft.p50 === null)) return null;
  const around = (value: number, [low, high]: readonly [number, number]) => ({
    lowMs: value * low,
    highMs: value * high,
  });
  const queues = ttft.p50 !== null && queue.p50 !== null && queue.p50 - handling > queueShareMax * ttft.p50;
  // Clients of a closed loop send as fast as they are served; its rate goes with the inverse of TPOT.
  const served = saturation === "closed-loop" && tpot.mean !== null;
  const { nominal, basis, nearest } = bands;
  return {
    nominal,
    basis,
    nearest: nearest === null ? null : { model: nearest.model, device: nearest.device, engine: nearest.engine },
    metrics: {
      tpot: tpot.mean === null ? null : around(tpot.mean, bands.tpot),
      ttft: ttft.p50 === null || queues ? null : around(ttft.p50, bands.ttft),
      outputTokensPerSecond: served
        ? { low: outputTokensPerSecond / bands.tpot[1], high: outputTokensPerSecond / bands.tpot[0] }
        : null,
    },
  };
}

const nameOf = ({ model, device, engine }: GroupKey): string => `${model} on ${device} with ${engine}`;

function farText(key: GroupKey, unvalidated: readonly string[]): string {
  const missing = unvalidated.length > 0 ? `with ${unvalidated.join(" or ")}` : `like ${nameOf(key)}`;
  return `far from anything validated: no served measurement ${missing}`;
}

function nearText(key: GroupKey, group: ValidatedGroup): string {
  const medians = Object.entries({ TPOT: group.tpotMedianPercent, TTFT: group.ttftMedianPercent })
    .filter(([, percent]) => percent !== null)
    .map(([latency, percent]) => `${latency} ${percent}%`);
  const relation = groupDistance(key, group) === 0 ? "validated group" : "nearest validated group";
  const errors = medians.length === 0 ? "" : `, median error of left-out deployments ${medians.join(", ")}`;
  return `${relation} ${nameOf(group)}: ${group.points} measured points${errors}`;
}
