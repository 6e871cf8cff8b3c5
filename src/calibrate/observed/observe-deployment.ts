import { basename } from "node:path";
import { sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import { poolsOf } from "../../sim/config.ts";
import { type Measurement, readMeasurement } from "../measured/read-measurement.ts";
import { withFetches } from "./fetch-speed.ts";
import { isObservable } from "./observable.ts";
import { fitObserved } from "./observed-fit.ts";
import { observedLedger } from "./observed-ledger.ts";
import { observedLoads } from "./observed-loads.ts";
import { unreachedText } from "./unreached.ts";

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

/**
 * Observe one, forecast all: the scenario with its engine adjusted to measurements of the same deployment under other
 * loads or layouts. Throws InvalidInputError for measurements of something else and such without a TPOT or a load, and for
 * deployments of several pools: which of their engines made a latency, a measurement does not say.
 */
export function observeDeployment(resolved: ResolvedScenario, observation: Observation): ResolvedScenario {
  const { measurement, file } = observation;
  const { config } = resolved;
  if (!isObservable(config))
    refuse({
      at: file,
      expected: "a scenario of one pool, to be adjusted to measurements",
      found: `${poolsOf(config).length} pools`,
    });
  const loads = observedLoads(config, measurement, file);
  const fit = fitObserved(config.engine, loads);
  const unreached = unreachedText(loads, fit.after);
  return {
    ...resolved,
    config: withFetches({ ...config, engine: fit.engine }, fit.fetchFactor),
    observed: true,
    ...(unreached === null ? {} : { unreached }),
    inputs: [...resolved.inputs, { role: "observed", name: basename(file), sha256: observation.sha256 }],
    ledger: [...resolved.ledger, ...observedLedger(config.engine, loads, fit, basename(file))],
  };
}
