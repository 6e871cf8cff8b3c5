import { isObservable } from "../../calibrate/observed/observable.ts";
import { mean } from "../../core/statistics.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import type { SimConfig } from "../../sim/config.ts";
import type { LoadVerdict } from "../../sim/outcome/load/load-verdict.ts";
import type { LedgerEntry } from "../../sim/result.ts";
import type { Forecast, ForecastBands } from "../forecast.ts";
import type { Band } from "./band.ts";
import { bandsFor, type ErrorBands } from "./bands.ts";
import { modelTraits } from "./deployment-distance.ts";
import { errorBandTable } from "./error-band-table.ts";
import { type NearestSetup, nearestSetup, type SetupKey } from "./nearest-setup.ts";
import { unvalidatedFeatures } from "./unvalidated-features.ts";

/** What of a run error bands are put around. */
interface Outcome {
  readonly load: Pick<LoadVerdict, "verdict" | "loop">;
  readonly latency: Forecast["latency"];
  readonly outputTokensPerSecond: number;
  readonly usdPerMillionOutputTokens: number | null;
}

/** How far off a forecast may be: its error bands, and what they rest on. */
interface Accuracy {
  readonly bands: ForecastBands;
  readonly ledger: LedgerEntry;
}

/**
 * Error bands of a forecast and their entry in the fidelity ledger; an overloaded deployment has no latencies to put one
 * around. Fitted is what was measured as it stands: the same model, device, engine, layout and format, or the deployment's
 * own points.
 */
export function accuracyOf(
  resolved: Pick<ResolvedScenario, "config" | "observed" | "unreached">,
  outcome: Outcome,
): Accuracy {
  const { config, observed: given = false, unreached } = resolved;
  // A measurement that the forecast contradicts narrows nothing.
  const observed = given && unreached === undefined;
  const { model, engine, node, mapping, formats } = config;
  const key = { model: model.id, device: node.device.id, engine: engine.id };
  const query = { ...key, features: unvalidatedFeatures(config, errorBandTable) };
  const apart = bandsFor({ ...query, observed: false });
  const stated = { ...apart, unvalidated: unreached ?? apart.unvalidated };
  const withPoint = unreached === undefined && isObservable(config) ? bandsFor({ ...query, observed: true }) : stated;
  const bands = observed ? withPoint : stated;
  const { tp, dp, ep } = mapping;
  const traits = { ...key, model: modelTraits(model), version: engine.version, tp, dp, ep, weights: formats.experts };
  const nearest = nearestSetup(traits, errorBandTable.setups);
  const measured = nearest?.distance === 0 && stated.unvalidated === null;
  const adjusted = given ? "adjusted to measured points of the deployment; " : "";
  return {
    bands: {
      ...forecastBands(bands, stated.unvalidated === null ? nearest : null, outcome, handlingMs(config)),
      withPoint: { tpot: withPoint.tpot, ttft: withPoint.ttft },
    },
    ledger: {
      topic: "accuracy",
      fidelity: measured || observed ? "fitted" : "assumed",
      detail: adjusted + accuracyText(stated.unvalidated, nearest),
    },
  };
}

/** Handling of a request of mean length before it can be scheduled, ms: no queue, although it waits. */
function handlingMs({ engine, workload }: SimConfig): number {
  const { promptTokens } = workload.requests;
  const tokens = promptTokens.length === 0 ? 0 : mean(Float64Array.from(promptTokens));
  return (engine.requestOverheadNs + (engine.promptTokenOverheadNs + engine.promptTokenDelayNs) * tokens) / 1e6;
}

/** Requests that wait longer than they are prefilled show a queue, whose error was not measured. */
const queueShareMax = 0.5;

function forecastBands(
  bands: ErrorBands,
  nearest: NearestSetup | null,
  { load, latency, outputTokensPerSecond, usdPerMillionOutputTokens }: Outcome,
  handling: number,
): Omit<ForecastBands, "withPoint"> {
  const { tpot, ttft, queue } = latency;
  const overloaded = load.verdict === "overloaded";
  const queues = ttft.p50 !== null && queue.p50 !== null && queue.p50 - handling > queueShareMax * ttft.p50;
  // Clients of a closed loop send as fast as they are served; its rate goes with the inverse of TPOT.
  const served = load.loop === "closed" && tpot.mean !== null;
  const [low, high] = bands.tpot;
  return {
    nominal: bands.nominal,
    basis: bands.basis,
    unvalidated: bands.unvalidated,
    nearest: nearest === null ? null : nearestOf(nearest),
    factors: { tpot: bands.tpot, ttft: bands.ttft },
    metrics: {
      tpot: overloaded || tpot.mean === null ? null : around(tpot.mean, bands.tpot),
      ttft: overloaded || ttft.p50 === null || queues ? null : around(ttft.p50, bands.ttft),
      outputTokensPerSecond: served ? { low: outputTokensPerSecond / high, high: outputTokensPerSecond / low } : null,
      usdPerMillionOutputTokens:
        served && usdPerMillionOutputTokens !== null
          ? { low: usdPerMillionOutputTokens * low, high: usdPerMillionOutputTokens * high }
          : null,
      goodput: null,
    },
    ends: null,
  };
}

const around = (value: number, [low, high]: Band) => ({ lowMs: value * low, highMs: value * high });

const nearestOf = ({ setup, distance, differs }: NearestSetup): ForecastBands["nearest"] => ({
  model: setup.model,
  device: setup.device,
  engine: setup.engine,
  distance,
  differs,
});

const nameOf = ({ model, device, engine }: SetupKey): string => `${model} on ${device} with ${engine}`;

const closestText = (nearest: NearestSetup | null): string =>
  nearest === null ? "" : `; the closest setup, ${nameOf(nearest.setup)}, differs in ${nearest.differs.join(", ")}`;

/** What was measured near; the errors of a setup are named only where they are those of the deployment. */
function accuracyText(unvalidated: string | null, nearest: NearestSetup | null): string {
  if (unvalidated !== null || nearest === null)
    return `unvalidated: ${unvalidated ?? "nothing was measured"}${nearest?.distance === 0 ? "" : closestText(nearest)}`;
  const { setup, deployment, distance, differs } = nearest;
  const name = nameOf(setup);
  if (distance > 0)
    return (
      `near the validated setup ${name} (${setup.points} measured points), which differs in ${differs.join(", ")}: ` +
      "its errors are not those of this forecast"
    );
  const medians = Object.entries({ TPOT: setup.tpotMedianPercent, TTFT: setup.ttftMedianPercent })
    .filter(([, percent]) => percent !== null)
    .map(([latency, percent]) => `${latency} ${percent}%`);
  const errors = medians.length === 0 ? "" : `, median error of left-out deployments ${medians.join(", ")}`;
  const here = deployment.points === setup.points ? "all" : `${deployment.points}`;
  return `validated setup ${name}: ${setup.points} measured points, ${here} in this layout and format${errors}`;
}
