import { basename } from "node:path";
import { sha256 } from "../../core/digest.ts";
import { formatDuration, formatNumber } from "../../core/units.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import type { LedgerEntry } from "../../sim/result.ts";
import { type Measurement, readMeasurement } from "../measured/read-measurement.ts";
import { fitObserved, type ObservedFit } from "./observed-fit.ts";
import { type ObservedLoad, observedLoads } from "./observed-loads.ts";

/** Measurements of the deployment that is forecast, and the file they came from. */
export interface Observation {
  readonly measurement: Measurement;
  readonly file: string;
  readonly sha256: string;
}

/** The observation that a file's text holds: serving points, a benchmark's result, or a run request by request. */
export const observationOf = (text: string, file: string): Observation => ({
  measurement: readMeasurement(text, file),
  file,
  sha256: sha256(text),
});

/** Loads that the ledger tells one by one. */
const toldMax = 3;
/** Deployments of one engine differ by less than this factor: three standard deviations of what may differ. */
const strangeFactor = 2;

/**
 * Observe one, forecast all: the scenario with its engine adjusted to measurements of the same deployment under other
 * loads or layouts. Throws InvalidInputError for measurements of something else and such without a TPOT or a load.
 */
export function observeDeployment(resolved: ResolvedScenario, observation: Observation): ResolvedScenario {
  const { measurement, file } = observation;
  const { config } = resolved;
  const loads = observedLoads(config, measurement, file);
  const fit = fitObserved(config.engine, loads);
  return {
    ...resolved,
    config: { ...config, engine: fit.engine },
    observed: true,
    inputs: [...resolved.inputs, { role: "observed", name: basename(file), sha256: observation.sha256 }],
    ledger: [...resolved.ledger, ...observedLedger(config.engine, loads, fit, basename(file))],
  };
}

function observedLedger(
  base: EngineProfile,
  loads: readonly ObservedLoad[],
  { engine, beforeMs, afterMs, left }: ObservedFit,
  file: string,
): LedgerEntry[] {
  const ms = (value: number | undefined) => formatNumber(value ?? Number.NaN);
  const told = loads
    .slice(0, toldMax)
    .map(({ name, tpotMs }, i) => `${name}: TPOT ${ms(beforeMs[i])} -> ${ms(afterMs[i])} ms, measured ${ms(tpotMs)}`);
  const more = loads.length > toldMax ? [`and ${loads.length - toldMax} more`] : [];
  const factors = Object.entries(factorsOf(base, engine))
    .filter(([, factor]) => Number.isFinite(factor))
    .map(([what, factor]) => `${what} x ${factor.toFixed(2)}`);
  const [from, to] = [base.requestOverheadNs, engine.requestOverheadNs].map(formatDuration);
  const handling = from === to ? [] : [`handling of a request ${from} -> ${to}`];
  const strange = loads.some(({ tpotMs }, i) => {
    const factor = tpotMs / (beforeMs[i] ?? tpotMs);
    return factor > strangeFactor || factor < 1 / strangeFactor;
  });
  const doubt = strange ? "; deployments of one engine differ less: does the scenario describe this one?" : "";
  const count = `${loads.length} measured ${loads.length === 1 ? "load" : "loads"} of ${file}`;
  const first: LedgerEntry = {
    topic: "observed",
    fidelity: "fitted",
    detail: `engine adjusted to ${count} (${[...told, ...more].join("; ")}): ${[...factors, ...handling].join(", ")}${doubt}`,
  };
  if (left === null) return [first];
  const { fromOthersPercent, fromOnePercent } = left;
  const ways = [
    ...(loads.length > 2 ? [`from all others ${fromOthersPercent.toFixed(1)} %`] : []),
    `from one other ${fromOnePercent.toFixed(1)} %`,
  ];
  return [
    first,
    {
      topic: "observed, error",
      fidelity: "fitted",
      detail: `mean absolute TPOT error of a load forecast ${ways.join(", ")}`,
    },
  ];
}

/** By how much groups of figures were moved. */
function factorsOf(base: EngineProfile, engine: EngineProfile): Record<string, number> {
  return {
    kernels: engine.kernelExcess / base.kernelExcess,
    "prompt kernels": engine.prefillExcess / base.prefillExcess,
    launches: engine.kernelOverheadNs / base.kernelOverheadNs,
    "time per sequence": engine.sequenceOverheadNs / base.sequenceOverheadNs,
    collectives: engine.collectiveFactor / base.collectiveFactor,
  };
}
