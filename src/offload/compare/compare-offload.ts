import { InfeasibleError, InvalidInputError, refuse } from "../../core/errors.ts";
import { gainOf, isReal } from "../../core/paired-gain.ts";
import { mean } from "../../core/statistics.ts";
import { version } from "../../core/version.ts";
import { giveWay } from "../../files/cooperative.ts";
import { buildForecast } from "../../forecast/build-forecast.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { missPolicies } from "../../policy/miss/miss-policies.ts";
import { lossyActions } from "../../policy/miss/miss-policy.ts";
import type { PrefetchPolicy } from "../../policy/prefetch/prefetcher.ts";
import { type PrefetcherName, prefetchers } from "../../policy/prefetch/prefetchers.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import { settingsOfFlags } from "../../resolve/offload-flags.ts";
import type { ResolvedRouting } from "../../resolve/resolve-routing.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { SimConfig } from "../../sim/config.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import { flagSizes } from "../flags/flag-sizes.ts";
import { adviceOf } from "./advice.ts";
import type { Axis } from "./axes.ts";
import {
  type Candidate,
  type Chosen,
  keysOf,
  missCandidates,
  policyCandidates,
  prefetchCandidates,
  settableAxes,
  slotCandidates,
} from "./candidates.ts";
import type { HeldOut, LeftOut, OffloadComparison, Outcome } from "./comparison.ts";
import { memoryCandidates } from "./memory-candidates.ts";
import { missVerdict } from "./verdict.ts";

export interface CompareOptions {
  readonly requests: number;
  /** Runs of each candidate, each with other random draws. */
  readonly repeats: number;
  readonly axes?: readonly Axis[];
  /** Whether what changes the model's answers may be the best. */
  readonly lossy?: boolean;
}

export interface CompareDeps extends Surroundings {
  readonly signal?: AbortSignal;
  /** Candidates done, of about so many. */
  readonly onProgress?: (done: number, total: number) => void;
}

type Section = NonNullable<Scenario["policy"]["offload"]>;

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
  const base = outcomeOf({ axis: "policy", name: scenario.policy.offload.kind, set: [] }, baseRuns, baseRuns, true);
  const outcomes: Outcome[] = [];
  const leftOut: LeftOut[] = [];
  let best: { readonly set: readonly string[]; readonly outcome: Outcome; readonly runs: Runs } = {
    set: [],
    outcome: base,
    runs: baseRuns,
  };
  const chosenAxes = options.axes ?? settableAxes;
  const total = 1 + chosenAxes.reduce((sum, axis) => sum + candidatesOf(axis, scenario, config, []).length, 0);
  let done = 1;
  let heldOut: HeldOut | null = null;
  for (const axis of chosenAxes) {
    const kept = best.set;
    const run = (set: readonly string[]) => runsOf(scenario, set, options, deps, routings);
    const fresh = axis === "prefetch" ? await divided(scenario, kept, run) : null;
    const reference = fresh?.base ?? baseRuns;
    if (fresh !== null) {
      const like = { axis, name: base.name, set: fresh.set };
      heldOut = { share: learnedShare, base: outcomeOf(like, reference, reference, true) };
      // What is kept so far, on the rows that this axis replays.
      const undecided = { axis, name: "none", set: [...kept, ...fresh.set] };
      outcomes.push(outcomeOf(undecided, fresh.kept, reference, kept.length === 0));
    }
    let rival = fresh?.kept ?? best.runs;
    for (const candidate of candidatesOf(axis, scenario.vary([...kept]), config, fresh?.set ?? [])) {
      if (deps.signal?.aborted === true) break;
      deps.onProgress?.(Math.min(done++, total), total);
      const isBase = candidate.set.length === 0 && kept.length === 0;
      const set = [...kept, ...candidate.set];
      try {
        const runs = isBase ? baseRuns : await run(set);
        const outcome = outcomeOf({ ...candidate, set }, runs, reference, isBase);
        outcomes.push(outcome);
        if (outcome.lossy && options.lossy !== true) continue;
        if (outcome.foresees || (outcome.whatIf !== null && base.whatIf === null)) continue;
        if (!isReal(gainOf(totals(rival), totals(runs)))) continue;
        best = { set, outcome, runs };
        rival = runs;
      } catch (error) {
        if (!(error instanceof InvalidInputError || error instanceof InfeasibleError)) throw error;
        leftOut.push({ axis, name: candidate.name, reason: reasonOf(error) });
      }
    }
  }
  const [reason] = leftOut;
  if (outcomes.length === 0 && reason !== undefined && deps.signal?.aborted !== true)
    refuse({
      ...scenario.place(["policy", "offload"]),
      file: scenario.file,
      at: "policy.offload",
      expected: `a cache of which ${chosenAxes.join(", ")} can be varied: ${reason.axis} ${reason.name} ${reason.reason}`,
      found: `none of ${leftOut.length} that runs`,
    });
  const bounds = baseRuns[0]?.cache?.reference ?? null;
  const held = cacheExperts(config, scenario.policy.offload.scope);
  // With room for all experts nothing but their first uses misses, and no size or policy is to blame.
  const explained = bounds !== null && config.offload!.slots < held ? bounds : null;
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
    slotsOfToken: leastSlots(scenario.policy.offload.kind, config),
    experts: held,
    base,
    outcomes,
    leftOut,
    verdict: explained === null ? null : missVerdict(explained.policy, explained.belady, explained.bestStatic),
    heldOut,
    best: { set: needed(best.set, scenario), outcome: best.outcome },
  } as const;
  return { ...comparison, advice: adviceOf(comparison) };
}

/** What would have had to be; of what does not fit, that alone, so that many sizes share one line. */
function reasonOf(error: InvalidInputError | InfeasibleError): string {
  const [first] = error instanceof InvalidInputError ? error.problems : [];
  if (first === undefined) return error.message.split(/[:\n]/)[0] ?? "";
  // A value that another key would have to have, such as `overlap: true`.
  const key = /^(true|false|global|layer)\b/.test(first.expected) ? `${first.at?.split(".").at(-1) ?? ""} ` : "";
  return `needs ${key}${first.expected}`;
}

/** Settings less those that take a key away which the scenario does not give. */
function needed(set: readonly string[], scenario: Scenario): string[] {
  const policyOf = (settings: readonly string[]): string => {
    try {
      return JSON.stringify(scenario.vary([...settings]).policy);
    } catch (error) {
      if (error instanceof InvalidInputError) return "";
      throw error;
    }
  };
  const whole = policyOf(set);
  return set.filter((text, i) => !text.endsWith("=null") || policyOf(set.toSpliced(i, 1)) !== whole);
}

/** The share of the sequences that prefetchers learn from; the others are replayed. */
const learnedShare = 0.5;

/**
 * Runs on the sequences that are left when predictors learn from the others: of the scenario, and of what is kept of it so far.
 * null where the scenario says itself what is learned from, where the routing cannot be divided, or nothing can be sent ahead.
 */
async function divided(
  scenario: Scenario,
  kept: readonly string[],
  run: (set: readonly string[]) => Promise<Runs>,
): Promise<{ readonly set: readonly string[]; readonly base: Runs; readonly kept: Runs } | null> {
  const { prefetch } = scenario.policy.offload!;
  if (prefetch?.fit !== undefined) return null;
  const set = [
    ...(prefetch === undefined ? ["policy.offload.prefetch.kind=none"] : []),
    `policy.offload.prefetch.fit.share=${learnedShare}`,
  ];
  try {
    const base = await run(set);
    return { set, base, kept: kept.length === 0 ? base : await run([...kept, ...set]) };
  } catch (error) {
    if (error instanceof InvalidInputError || error instanceof InfeasibleError) return null;
    throw error;
  }
}

/** Experts that one cache could hold. */
function cacheExperts({ routing }: SimConfig, scope: string | undefined): number {
  if (routing.kind !== "replay") return 0;
  return scope === "global" ? routing.table.experts * routing.layerMap.length : routing.table.experts;
}

/** Slots that hold what one token chooses; a fixed set takes nothing in, so that it may be smaller. */
function leastSlots(kind: string, { routing }: SimConfig): number {
  return routing.kind === "replay" && kind !== "static" ? routing.table.topK : 1;
}

/** What is tried on an axis. `learning`: settings that leave rows to learn from. */
function candidatesOf(
  axis: Axis,
  { policies, policy }: Scenario,
  config: SimConfig,
  learning: readonly string[],
): Candidate[] {
  const section = policy.offload!;
  const { engine, model } = config;
  const cache = chosenOf(policies.caches, section);
  const miss = chosenOf(missPolicies, section.miss);
  const { flags } = section;
  const said = settingsOfFlags(section, config);
  // What no key says has other flags to be compared with, and no policies.
  if (said.split === null && axis !== "slots") return [];
  switch (axis) {
    case "policy":
      return policyCandidates(policies, cache, miss, globally(section, config)).map((candidate) =>
        flags === undefined || candidate.name === cache.kind ? candidate : asCache(candidate, section, config),
      );
    case "slots":
      if (flags !== undefined)
        return flagSizes(flags, model, engine.id).map((name) => ({
          axis,
          name,
          set: [`policy.offload.flags=${name}`],
        }));
      return slotCandidates(cacheExperts(config, section.scope), leastSlots(section.kind, config)).filter(
        ({ name }) => Number(name) !== section.slots,
      );
    case "miss": {
      const own = flags === undefined ? miss : chosenOf(missPolicies, missOfFlags(said.split!));
      return missCandidates(own, cache, engine.offload?.devicePromptTokens ?? null)
        .filter(({ set }) => set.length > 0)
        .map((candidate) => ({ ...candidate, set: [...said.split!, ...said.pages, ...candidate.set] }));
    }
    case "memory":
      return memoryCandidates(section, config.node, said.pages.length > 0);
    case "prefetch": {
      const { prefetch } = section;
      const chosen = prefetch === undefined ? null : chosenOf(prefetchers, prefetch);
      return prefetchCandidates(
        chosen,
        learning.filter((text) => text.includes(".fit.")),
      ).filter(({ name }) => name !== (prefetch?.kind ?? "none"));
    }
  }
}

/** What is done about misses, of the settings that say what flags say. */
function missOfFlags(settings: readonly string[]): { readonly kind: string } {
  const key = "policy.offload.miss=";
  return JSON.parse(settings.find((text) => text.startsWith(key))!.slice(key.length)) as { readonly kind: string };
}

/** A policy with as many slots as the flags leave experts on the device. */
const asCache = (candidate: Candidate, section: Section, config: SimConfig): Candidate => ({
  ...candidate,
  set: [
    "policy.offload.flags=null",
    `policy.offload.slots=${config.offload!.slots}`,
    ...settingsOfFlags(section, config).pages,
    ...candidate.set,
  ],
});

/** Settings that make one cache of those of a stage's layers; none where it already is, or the layers differ. */
function globally({ scope, flags, ...section }: Section, { mapping, offload, routing }: SimConfig): string[] {
  if (scope === "global" || routing.kind !== "replay") return [];
  const layers = routing.layerMap.length / mapping.pp;
  const set = ["policy.offload.scope=global"];
  const slots = flags === undefined ? section.slots : offload?.slots;
  if (slots === undefined) return set;
  return Number.isInteger(layers) ? [...set, `policy.offload.slots=${slots * layers}`] : [];
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

/** What of a candidate decides which routing it replays. */
function routingKey({ seed, policies, policy }: Scenario): string {
  const { kind, miss, prefetch } = policy.offload!;
  const { fit = null } = prefetch ?? {};
  const weighs = miss.kind !== "fetch" || policies.caches[kind]!.needs.includes("weights");
  return JSON.stringify({ seed, weighs, fit });
}

/** Mean end-to-end latency of each run, ns: waiting, prompts and tokens count as they do for those who wait. */
const totals = (runs: Runs): number[] => runs.map(({ latency }) => latency.e2e.mean ?? Number.NaN);

/** Whether a prefetcher stands for what its quality would bring, and cannot be had as such. */
const foresees = (name: string): boolean =>
  (prefetchers[name.split(" ")[0] as PrefetcherName] as PrefetchPolicy | undefined)?.emulated === true;

function outcomeOf(candidate: Candidate, runs: Runs, baseRuns: Runs, isBase: boolean): Outcome {
  const of = (pick: (forecast: Forecast) => number | null) => mean(runs.map((run) => pick(run) ?? Number.NaN));
  const taken = runs.flatMap(({ cache }) => cache?.actions?.taken ?? []);
  const lossy = taken.some(({ action }) => lossyActions.includes(action));
  const whatIf = runs[0]?.ledger.find(({ topic, detail }) => topic === "offload" && detail.startsWith("what-if: "));
  const masses = runs.map(({ cache }) => cache?.actions?.lossyMass ?? null);
  const known = masses.filter((mass) => mass !== null);
  return {
    ...candidate,
    isBase,
    whatIf: whatIf?.detail ?? null,
    foresees: candidate.axis === "prefetch" && foresees(candidate.name),
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
