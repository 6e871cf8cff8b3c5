import { refuse } from "../core/errors.ts";
import { routableExperts } from "../models/expert-choices.ts";
import type { MoeFeedForward } from "../models/spec.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { openRoutingTrace } from "../trace/container/open-trace.ts";
import { countsOf, loadCountsTable } from "../trace/load-counts.ts";
import type { CountsTable, RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";

/** Fitting set of a policy: another trace, a domain, or the routing that is replayed. */
export type FitChoice = NonNullable<NonNullable<Scenario["policy"]["placement"]>["fit"]>;

/** Expert loads to fit a policy on, with their source in words. */
export interface ExpertLoads {
  /** [trace layers x experts] tokens routed to each expert. */
  readonly uses: Float64Array;
  readonly layers: number;
  readonly modelLayers: readonly number[];
  readonly source: string;
  readonly digest: string;
  /** Whether loads come from rows that are replayed. */
  readonly inSample: boolean;
}

/** The routing that a scenario replays, and its source. */
export interface FitSource {
  /** All rows of the source, before a domain was chosen for replay. */
  readonly whole: RoutingTable;
  /** The rows that are replayed. */
  readonly replayed: RoutingTable;
  /** Rows that a prefetcher learns from in their place; absent where the scenario divides none. */
  readonly training?: RoutingTable;
}

/** Counts expert uses in the fitting set. Throws where neither a file nor a replayed table gives any. */
export async function expertLoads(
  scenario: Scenario,
  fit: FitChoice | undefined,
  source: FitSource | null,
  moe: MoeFeedForward,
): Promise<ExpertLoads> {
  const counts = await countsFor(scenario, fit, source);
  const { experts } = moe;
  // A file of its own also counts experts that return their input. They have no place.
  if (counts.experts !== experts && counts.experts !== routableExperts(moe))
    refuse({ expected: `counts of the model's ${experts} experts`, found: `${counts.experts} experts` });
  const into = mergedBefore(fit, source, counts);
  const uses = new Float64Array(counts.layers * experts);
  for (let row = 0; row < counts.steps * counts.layers; row++)
    for (let expert = 0; expert < experts; expert++) {
      const layer = row % counts.layers;
      const home = into?.[layer * experts + expert] ?? expert;
      if (home < experts) uses[layer * experts + home]! += counts.counts[row * counts.experts + expert]!;
    }
  const domain = fit?.domain === undefined ? "all domains" : `domain ${fit.domain}`;
  return {
    uses,
    layers: counts.layers,
    modelLayers: counts.modelLayers,
    source: `${counts.origin.name}, ${domain}${untransformed(scenario, fit)}`,
    digest: counts.origin.digest,
    inSample: isInSample(fit, counts.origin.digest, source),
  };
}

/**
 * [layers][experts] the expert that has the tokens of each, where a file of its own was recorded before transforms merged experts;
 * null where none did. A token that chose two of a group counts twice: counts do not say which did.
 */
function mergedBefore(fit: FitChoice | undefined, source: FitSource | null, counts: CountsTable): Uint16Array | null {
  const table = source?.whole;
  if (fit?.file === undefined || table?.mergedInto === undefined) return null;
  const layersOf = ({ layers, modelLayers }: Pick<CountsTable, "layers" | "modelLayers">): string =>
    modelLayers.length === 0 ? `${layers} layers` : `layers ${modelLayers.join(", ")}`;
  if (layersOf(counts) !== layersOf(table))
    refuse({ at: "fit.file", expected: `${layersOf(table)}, whose experts are merged`, found: layersOf(counts) });
  return table.mergedInto;
}

/** A file of its own is counted as it was recorded; the experts of a group are added up. */
function untransformed({ routing }: Scenario, fit: FitChoice | undefined): string {
  const transformed = routing.kind !== "uniform" && routing.transforms.length > 0;
  if (!transformed || fit?.file === undefined) return "";
  const merged = routing.transforms.some(({ kind }) => kind === "merge");
  return merged ? ", before transforms, merged experts added up" : ", before transforms";
}

async function countsFor(
  scenario: Scenario,
  fit: FitChoice | undefined,
  source: FitSource | null,
): Promise<CountsTable> {
  if (fit?.file !== undefined) {
    const trace = await openRoutingTrace(fromScenario(scenario.file, fit.file));
    try {
      return await loadCountsTable(trace, fit.domain === undefined ? {} : { domain: fit.domain });
    } finally {
      await trace.close();
    }
  }
  if (source === null)
    refuse({
      expected: "expert loads to fit on",
      found: "uniform routing",
      hint: "replay a routing trace, or give fit.file",
    });
  return countsOf(fit?.domain === undefined ? source.replayed : rowsOfDomain(source.whole, fit.domain));
}

/** Whether the fitting set contains replayed rows: it is the same trace, and no domain keeps them apart. */
export function isInSample(fit: FitChoice | undefined, digest: string, source: FitSource | null): boolean {
  if (source === null || digest !== source.replayed.origin.digest) return false;
  return fit?.domain === undefined || source.replayed.domains.includes(fit.domain);
}
