import { InfeasibleError, InvalidInputError, refuse } from "../../core/errors.ts";
import { mean } from "../../core/statistics.ts";
import { version } from "../../core/version.ts";
import { giveWay } from "../../files/cooperative.ts";
import { buildForecast } from "../../forecast/build-forecast.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { cachePolicies } from "../../policy/cache/caches.ts";
import type { CachePolicy } from "../../policy/cache/expert-cache.ts";
import { missPolicies } from "../../policy/miss/miss-policies.ts";
import { lossyActions } from "../../policy/miss/miss-policy.ts";
import { prefetchers } from "../../policy/prefetch/prefetchers.ts";
import type { FileReader } from "../../resolve/file-reader.ts";
import type { ResolvedRouting } from "../../resolve/resolve-routing.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { SimConfig } from "../../sim/config.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import { adviceOf } from "./advice.ts";
import {
  type Axis,
  axes,
  type Candidate,
  type Chosen,
  keysOf,
  missCandidates,
  policyCandidates,
  prefetchCandidates,
  slotCandidates,
  withoutFlags,
} from "./candidates.ts";
import type { LeftOut, OffloadComparison, Outcome } from "./comparison.ts";
import { gainOf, isReal } from "./gain.ts";
import { missVerdict } from "./verdict.ts";

export interface CompareOptions {
  readonly requests: number;
  /** Runs of each candidate, each with other random draws. */
  readonly repeats: number;
  readonly axes?: readonly Axis[];
  /** Whether what changes the model's answers may be the best. */
  readonly lossy?: boolean;
}

export interface CompareDeps extends FileReader {
  readonly signal?: AbortSignal;
  /** Candidates done, of about so many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs of one candidate: a forecast for every repeat. */
type Runs = readonly Forecast[];

/**
 * Compares offload policies under load. One axis after the other is varied, and the best of it that is better than noise is
 * kept for the next: policy, slots, what is done about misses, prefetcher. All candidates see the same requests and random draws.
 * Throws InvalidInputError where the scenario offloads nothing.
 */
export async function compareOffload(
  scenario: Scenario,
  options: CompareOptions,
  deps: CompareDeps,
): Promise<OffloadComparison> {
  if (scenario.policy.offload === undefined)
    refuse({
      ...scenario.place(["policy"]),
      file: scenario.file,
      at: "policy.offload",
      expected: "an expert cache to compare with others, such as {kind: lru, slots: 8}",
    });
  const { config, offload } = await resolveScenario(scenario, deps, null, deps.signal);
  const routings = new Map<string, ResolvedRouting>();
  const baseRuns = await runsOf(scenario, [], options, deps, routings);
  const { flags, kind } = scenario.policy.offload;
  const base = outcomeOf({ axis: "policy", name: flags ?? kind, set: [] }, baseRuns, baseRuns, true);
  const leftOut: LeftOut[] = [];
  let best: { readonly set: readonly string[]; readonly outcome: Outcome; readonly runs: Runs } = {
    set: [],
    outcome: base,
    runs: baseRuns,
  };
  const chosenAxes = options.axes ?? axes;
  // What flags say stands for itself; everything else is tried without them.
  const unflagged = flags === undefined ? [] : withoutFlags(slotsPerLayer(config));
  const outcomes: Outcome[] = flags !== undefined && chosenAxes.includes("policy") ? [base] : [];
  const total =
    1 + chosenAxes.reduce((sum, axis) => sum + candidatesOf(axis, scenario.vary(unflagged), config).length, 0);
  let done = 1;
  for (const axis of chosenAxes) {
    const kept = best.set.length === 0 ? unflagged : best.set;
    for (const candidate of candidatesOf(axis, scenario.vary([...kept]), config)) {
      if (deps.signal?.aborted === true) break;
      deps.onProgress?.(Math.min(done++, total), total);
      const set = [...kept, ...candidate.set];
      const isBase = set.length === 0;
      try {
        const runs = isBase ? baseRuns : await runsOf(scenario, set, options, deps, routings);
        const outcome = outcomeOf({ ...candidate, set }, runs, baseRuns, isBase);
        outcomes.push(outcome);
        if ((outcome.lossy && options.lossy !== true) || isBound(candidate)) continue;
        const beside = gainOf(totals(best.runs), totals(runs));
        if (isReal(beside)) best = { set, outcome, runs };
      } catch (error) {
        if (!(error instanceof InvalidInputError || error instanceof InfeasibleError)) throw error;
        leftOut.push({ axis, name: candidate.name, reason: reasonOf(error) });
      }
    }
  }
  const reference = baseRuns[0]?.cache?.reference ?? null;
  const comparison = {
    kind: "offload-comparison",
    schemaVersion: 1,
    moecastVersion: version,
    scenario: { name: scenario.name, description: scenario.description, file: scenario.file },
    deployment: offload ?? "",
    requests: options.requests,
    repeats: options.repeats,
    seed: config.seed,
    slots: config.offload!.slots,
    experts: cacheExperts(config),
    whatIf: whatIfOf(best.runs),
    base,
    outcomes,
    leftOut,
    verdict: reference === null ? null : missVerdict(reference.policy, reference.belady, reference.bestStatic),
    best: { set: best.set, outcome: best.outcome },
  } as const;
  return { ...comparison, advice: adviceOf(comparison) };
}

/** What would have had to be; for what does not fit, the sum. */
function reasonOf(error: InvalidInputError | InfeasibleError): string {
  const [first] = error instanceof InvalidInputError ? error.problems : [];
  return first === undefined ? (error.message.split("\n")[0] ?? "") : `needs ${first.expected}`;
}

/** What the best of them asks of an engine that does not have it; null where it has. */
function whatIfOf(runs: Runs): string | null {
  const entry = runs[0]?.ledger.find(({ topic, detail }) => topic === "offload" && detail.startsWith("what-if: "));
  return entry === undefined ? null : entry.detail.slice("what-if: ".length);
}

/** Whole slots that every layer of a device could have in place of those that layers have. */
function slotsPerLayer({ offload, routing }: SimConfig): number {
  const { scope, slots, slotsPerLayer: listed } = offload!;
  if (routing.kind !== "replay" || (scope === "layer" && listed === undefined)) return slots;
  const all = listed?.reduce((sum, count) => sum + count, 0) ?? slots;
  return Math.floor(all / routing.layerMap.length);
}

/** Experts that one cache could hold. */
function cacheExperts({ routing, offload }: SimConfig): number {
  if (routing.kind !== "replay") return 0;
  return offload?.scope === "global" ? routing.table.experts * routing.layerMap.length : routing.table.experts;
}

function candidatesOf(axis: Axis, { policy }: Scenario, config: SimConfig): Candidate[] {
  const section = policy.offload!;
  switch (axis) {
    case "policy":
      return policyCandidates(chosenOf(cachePolicies, section));
    case "slots":
      return slotCandidates(cacheExperts(config), section.memory !== undefined).filter(
        ({ name }) => Number(name) !== config.offload?.slots,
      );
    case "miss":
      return missCandidates(chosenOf(missPolicies, section.miss)).filter(({ set }) => set.length > 0);
    case "prefetch": {
      const { prefetch } = section;
      const chosen = prefetch === undefined ? null : chosenOf(prefetchers, prefetch);
      return prefetchCandidates(chosen).filter(({ name }) => name !== (prefetch?.kind ?? "none"));
    }
  }
}

function chosenOf(
  table: Readonly<Record<string, { readonly parameters: Parameters<typeof keysOf>[0] }>>,
  given: { readonly kind: string },
): Chosen {
  return { kind: given.kind, keys: keysOf(table[given.kind]!.parameters, given) };
}

async function runsOf(
  scenario: Scenario,
  set: readonly string[],
  { requests, repeats }: CompareOptions,
  deps: CompareDeps,
  routings: Map<string, ResolvedRouting>,
): Promise<Runs> {
  const runs: Forecast[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const varied = scenario.vary([`traffic.requests=${requests}`, ...set, `seed=${scenario.seed + repeat}`]);
    const key = routingKey(varied);
    const resolved = await resolveScenario(varied, deps, null, deps.signal, routings.get(key));
    if (resolved.routed !== undefined) routings.set(key, resolved.routed);
    const run = await simulateCooperatively(resolved.config, {
      giveWay,
      ...(deps.signal === undefined ? {} : { shouldStop: () => deps.signal!.aborted }),
    });
    runs.push(buildForecast(varied, resolved, run));
    if (deps.signal?.aborted === true) break;
  }
  return runs;
}

/** Whether a candidate knows what is to come: a bound for the others, nothing that can be set up. */
const isBound = ({ axis, name }: Candidate): boolean => axis === "prefetch" && name === "perfect";

/** What of a candidate decides which routing it replays. */
function routingKey({ seed, policy }: Scenario): string {
  const { kind, miss, prefetch } = policy.offload!;
  const { fit = null } = prefetch ?? {};
  const weighs = miss.kind !== "fetch" || (cachePolicies[kind] as CachePolicy).needs.includes("weights");
  return JSON.stringify({ seed, weighs, fit });
}

/** Mean end-to-end latency of each run, ns: waiting, prompts and tokens count as they do for those who wait. */
const totals = (runs: Runs): number[] => runs.map(({ latency }) => latency.e2e.mean ?? Number.NaN);

function outcomeOf(candidate: Candidate, runs: Runs, baseRuns: Runs, isBase: boolean): Outcome {
  const of = (pick: (forecast: Forecast) => number | null) => mean(runs.map((run) => pick(run) ?? Number.NaN));
  const taken = runs.flatMap(({ cache }) => cache?.actions?.taken ?? []);
  const lossy = taken.some(({ action }) => lossyActions.includes(action));
  const masses = runs.map(({ cache }) => cache?.actions?.lossyMass ?? null);
  const known = masses.filter((mass) => mass !== null);
  return {
    ...candidate,
    isBase,
    tokensPerSecond: of(({ throughput }) => throughput.outputTokensPerSecond),
    tpotMs: of(({ latency }) => latency.tpot.mean),
    ttftMs: of(({ latency }) => latency.ttft.mean),
    hitRate: of(({ cache }) => (cache === null || cache.accesses === 0 ? 0 : cache.hits / cache.accesses)),
    optimum: runs.some(({ cache }) => cache?.reference == null) ? null : of(({ cache }) => cache!.reference!.belady),
    stallShare: of(({ timeShare }) => timeShare.expertFetch),
    lossy,
    lossyMass: lossy ? (known.length === runs.length ? mean(known) : null) : 0,
    gain: isBase ? null : gainOf(totals(baseRuns), totals(runs)),
  };
}
