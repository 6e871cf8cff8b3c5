import { basename } from "node:path";
import { sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import { poolsOf, type SimConfig } from "../../sim/config.ts";
import type { LedgerEntry } from "../../sim/result.ts";
import type { Likeness } from "../likeness/likeness.ts";
import { observableLoad } from "../likeness/load-likeness.ts";
import { benchmarkLikeness, checkLikeness, likenessNotes, runLikeness } from "../likeness/measurement-likeness.ts";
import { type Measurement, readMeasurement } from "../measured/read-measurement.ts";
import { withFetches } from "./fetch-speed.ts";
import { isObservable } from "./observable.ts";
import { checkFactors } from "./observed-factors.ts";
import { fitObserved } from "./observed-fit.ts";
import { observedLedger } from "./observed-ledger.ts";
import { observedLoads, runsWithTpot } from "./observed-loads.ts";
import { unreachedText } from "./unreached.ts";

/** Measurements of the deployment that is forecast, and the file they came from. */
export interface Observation {
  readonly measurement: Measurement;
  readonly file: string;
  readonly sha256: string;
  /** Whether it is used although it states another model, device or load than the scenario. */
  readonly acceptsDifferences: boolean;
}

/** The observation that a file's text holds: serving points, a benchmark's result, or a run request by request. */
export const observationOf = (text: string, file: string, acceptsDifferences = false): Observation => ({
  measurement: readMeasurement(text, file),
  file,
  sha256: sha256(text),
  acceptsDifferences,
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
  const notes = notesOf(config, observation);
  const fit = fitObserved(config.engine, loads);
  if (!observation.acceptsDifferences) checkFactors(config.engine, loads, fit, file);
  const unreached = unreachedText(loads, fit.after);
  return {
    ...resolved,
    config: withFetches({ ...config, engine: fit.engine }, fit.fetchFactor),
    observed: true,
    ...(unreached === null ? {} : { unreached }),
    inputs: [...resolved.inputs, { role: "observed", name: basename(file), sha256: observation.sha256 }],
    ledger: [...resolved.ledger, ...observedLedger(config.engine, loads, fit, basename(file)), ...readEntries(notes)],
  };
}

/** How the measurement was read and what it does not tell; throws what it states otherwise than the scenario. */
function notesOf(config: SimConfig, { measurement, file, acceptsDifferences }: Observation): string[] {
  if (measurement.kind === "points") return [];
  const checked = (likeness: Likeness) => {
    checkLikeness(likeness, file, acceptsDifferences);
    return likenessNotes(likeness);
  };
  if (measurement.kind === "run") return [...measurement.run.requests.origin.notes, ...checked(runLikeness(config))];
  const { runs } = measurement;
  const told = runsWithTpot(runs);
  const notes = told.flatMap((benchmark) => [
    ...benchmark.notes,
    ...checked(benchmarkLikeness(config, benchmark, observableLoad)),
  ]);
  const others = runs.length - told.length;
  return [...new Set(notes), ...(others === 0 ? [] : [`${others} of ${runs.length} runs show no TPOT: left out`])];
}

const readEntries = (notes: readonly string[]): LedgerEntry[] =>
  notes.length === 0 ? [] : [{ topic: "observed, as read", fidelity: "assumed", detail: notes.join("; ") }];
