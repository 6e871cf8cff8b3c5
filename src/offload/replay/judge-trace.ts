import { refuse } from "../../core/errors.ts";
import { belady } from "../../policy/cache/belady.ts";
import type { CacheScope } from "../../policy/cache/cache-scope.ts";
import { cachePolicies } from "../../policy/cache/caches.ts";
import type { CachePolicy } from "../../policy/cache/expert-cache.ts";
import { type HitCurve, lruHitCurve, sumOfCurves } from "../../policy/cache/hit-curve.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import { kneeOf, rateAt, type SuggestedSize, suggestedSize, tableSizes } from "./cache-sizes.ts";
import { hitDefinitions } from "./definitions/hit-definitions.ts";
import { halvesOf } from "./folds.ts";
import { optimumHitCurve } from "./hit-curve.ts";
import { type LocalConsistency, localConsistency } from "./local-consistency.ts";
import { type MissCauses, type MissVerdict, missCauses, missVerdict } from "./miss-causes.ts";
import { hitsOver, type JudgedCalls, type PolicyHits, policyTable, replayablePolicies } from "./policy-table.ts";
import { type Predictability, predictability } from "./predictability.ts";
import { coldMisses, type RoutedCalls, routedCalls, usesOf } from "./routed-calls.ts";

export interface JudgeOptions {
  /** The trace as messages name it. Absent: as it names itself. */
  readonly file?: string;
  /** Sequences served side by side. */
  readonly batch: number;
  readonly scope: CacheScope;
  /** Slots of each layer to compare at; see {@link tableSizes} where absent. */
  readonly slots?: readonly number[];
  /** How many of the first notes of the table come from the recording itself. Absent: none. */
  readonly recordingNotes?: number;
  /** What a miss moves, where it is known. */
  readonly expert: { readonly model: string; readonly format: string; readonly bytes: number } | null;
}

/** One size of the table. */
export interface JudgedSize {
  /** Of each layer. */
  readonly slots: number;
  readonly share: number;
  /** The policy with the most hits that a run can follow. */
  readonly best: string;
  readonly bestHitRate: number;
  /** Hit rate of Belady's optimum less that. */
  readonly gapToBelady: number;
  /** Misses of that policy, and where most come from. */
  readonly causes: MissCauses;
  readonly from: MissVerdict;
}

/** What a trace says of expert caches, without a deployment; plain JSON. Rates are shares in 0 .. 1. */
export interface TraceJudgement {
  readonly name: string;
  readonly rows: number;
  readonly sequences: number;
  readonly layers: number;
  readonly experts: number;
  readonly topK: number;
  readonly modelLayers: readonly number[];
  readonly scope: CacheScope;
  /** Sequences side by side: asked for, and as many as a half has. */
  readonly batch: { readonly asked: number; readonly served: number };
  /** Distinct experts of a layer call. */
  readonly call: { readonly mean: number; readonly max: number };
  /** Distinct experts of calls, choices of tokens, and experts that are asked for at all, each half from the beginning. */
  readonly accesses: number;
  readonly choices: number;
  readonly coldMisses: number;
  readonly expert: JudgeOptions["expert"];
  readonly policies: readonly (PolicyHits & {
    readonly hitRate: readonly number[];
    /** Bytes that misses move for each token, where the bytes of an expert are known. */
    readonly missBytesPerToken: readonly number[] | null;
  })[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  readonly sizes: readonly JudgedSize[];
  /** Hit rates with 0, 1, 2 ... slots a layer (in steps of all layers in the global scope); null where a curve does not hold. */
  readonly curves: {
    readonly lru: readonly number[];
    readonly belady: readonly (number | null)[];
    readonly beladyBypassing: readonly number[];
  };
  readonly knee: { readonly slots: number; readonly hitRate: number } | null;
  readonly suggested: SuggestedSize & { readonly share: number; readonly least: number };
  /** The rule of thumb of moe-lrc: twice the experts that a token needs. */
  readonly ruleOfThumb: { readonly slots: number; readonly lru: number; readonly belady: number };
  /** The size that is looked at closely: the largest that was asked for, else the suggested one. */
  readonly verdict: JudgedSize;
  readonly consistency: LocalConsistency;
  /** One policy, trace and size under every definition of the hit rate. */
  readonly definitions: {
    readonly policy: string;
    readonly slots: number;
    readonly rates: readonly { readonly name: string; readonly policy: string; readonly hitRate: number }[];
    /** Misses over the distinct experts of calls, and over the choices of tokens. */
    readonly missRatio: number;
    readonly effectiveMissFraction: number;
  };
  readonly predictability: Predictability | null;
  /** What the recording says of itself, and what of it was loaded. */
  readonly recordingNotes: readonly string[];
  readonly loadNotes: readonly string[];
}

/** Judges expert caches on a trace. Passes over the calls once per policy and size. */
export function judgeTrace(table: RoutingTable, options: JudgeOptions): TraceJudgement {
  const { experts, topK, layers } = table;
  const { file = table.origin.name, scope, expert } = options;
  const wrong = options.slots?.filter((slots) => slots < 1 || slots > experts) ?? [];
  if (wrong.length > 0)
    refuse({
      file,
      at: "--slots",
      expected: `slots of a layer, 1 to ${experts} of its experts`,
      found: wrong.join(", "),
    });
  const halves = halvesOf(table);
  if (halves === null)
    refuse({
      file,
      expected: "at least two tokens: what is judged on one half of a trace is fitted on the other",
      found: `${table.rows}`,
    });
  const served = Math.min(options.batch, ...halves.map(({ sequenceStarts }) => sequenceStarts.length - 1));
  const [first, second] = [routedCalls(halves[0], served), routedCalls(halves[1], served)];
  const judged: readonly JudgedCalls[] = [
    { calls: first, fitted: usesOf(second) },
    { calls: second, fitted: usesOf(first) },
  ];
  const sum = (of: (calls: RoutedCalls) => number) => of(first) + of(second);
  const accesses = sum(({ keys }) => keys.length);
  if (accesses === 0) refuse({ file, expected: "a trace whose tokens choose experts", found: "none" });
  const rows = sum((calls) => calls.rows);
  const cold = sum(coldMisses);
  const meanCall = accesses / sum(({ calls }) => calls);
  const curves = {
    lru: bySlots(judged, scope, layers, (calls) => lruHitCurve(calls, scope)),
    belady: bySlots(judged, scope, layers, (calls) => optimumHitCurve(calls, scope, "mandatory")),
    free: bySlots(judged, scope, layers, (calls) => optimumHitCurve(calls, scope, "free")),
  };
  const least = Math.max(topK, Math.ceil(meanCall));
  const suggested = suggestedSize(curves.lru, least);
  // The largest size that was asked for; else the suggested one, or where that misses nothing, the least.
  const verdictSlots =
    options.slots === undefined
      ? suggested.slots < experts
        ? suggested.slots
        : Math.min(experts, least)
      : Math.max(...options.slots);
  const listed = options.slots ?? tableSizes(experts, topK);
  const sizes = [...new Set([...listed, verdictSlots])].sort((a, b) => a - b);
  const { policies: live, leftOut } = replayablePolicies(first, scope);
  const policies = policyTable(judged, live, scope, sizes);
  const optimum = policies.find(({ name }) => name === "belady")!;
  const judgedSizes = sizes.map((slots, at): JudgedSize => {
    const best = policies
      .filter(({ role }) => role === "policy")
      .reduce((most, policy) => (policy.hits[at]! > most.hits[at]! ? policy : most));
    const [optimumHits, policyHits] = [optimum.hits[at]!, best.hits[at]!];
    const causes = missCauses({ accesses, coldMisses: cold, optimumHits, policyHits });
    return {
      slots,
      share: slots / experts,
      best: best.name,
      bestHitRate: policyHits / accesses,
      gapToBelady: (optimumHits - policyHits) / accesses,
      causes,
      from: missVerdict(causes),
    };
  });
  const knee = kneeOf(curves.lru);
  const twice = Math.min(experts, 2 * topK);
  return {
    name: table.origin.name,
    rows,
    sequences: table.sequenceStarts.length - 1,
    layers,
    experts,
    topK,
    modelLayers: table.modelLayers,
    scope,
    batch: { asked: options.batch, served },
    call: { mean: meanCall, max: Math.max(first.callMax, second.callMax) },
    accesses,
    choices: sum(({ choices }) => choices),
    coldMisses: cold,
    expert,
    policies: policies.map((policy) => ({
      ...policy,
      hitRate: policy.hits.map((hits) => hits / accesses),
      missBytesPerToken:
        expert === null ? null : policy.hits.map((hits) => ((accesses - hits) * expert.bytes) / Math.max(1, rows)),
    })),
    leftOut,
    sizes: judgedSizes,
    curves: {
      lru: rates(curves.lru),
      belady: rates(curves.belady).map((rate) => (Number.isNaN(rate) ? null : rate)),
      beladyBypassing: rates(curves.free),
    },
    knee: knee === null ? null : { slots: knee, hitRate: rateAt(curves.lru, knee) },
    suggested: { ...suggested, share: suggested.slots / experts, least },
    ruleOfThumb: {
      slots: twice,
      lru: rateAt(curves.lru, twice),
      belady: hitsOver(judged, belady, scope, twice) / accesses,
    },
    verdict: judgedSizes.find(({ slots }) => slots === verdictSlots)!,
    consistency: localConsistency(table),
    definitions: underDefinitions(halves, judged, cachePolicies.lru, verdictSlots),
    predictability: predictability(halves, verdictSlots),
    recordingNotes: table.origin.notes.slice(0, options.recordingNotes ?? 0),
    loadNotes: table.origin.notes.slice(options.recordingNotes ?? 0),
  };
}

/** The curve of both halves with 0, 1, ... slots of each layer. */
function bySlots(
  judged: readonly JudgedCalls[],
  scope: CacheScope,
  layers: number,
  curve: (calls: RoutedCalls) => HitCurve,
): HitCurve {
  const both = sumOfCurves(judged.map(({ calls }) => curve(calls)));
  if (scope === "layer") return both;
  return {
    ...both,
    from: Math.ceil(both.from / layers),
    hits: both.hits.filter((_, slots) => slots % layers === 0),
  };
}

const rates = ({ hits, accesses }: HitCurve): number[] => Array.from(hits, (count) => count / accesses);

function underDefinitions(
  halves: readonly RoutingTable[],
  judged: readonly JudgedCalls[],
  policy: CachePolicy,
  slots: number,
): TraceJudgement["definitions"] {
  const measured = hitDefinitions.map((definition) => {
    let hits = 0;
    let accesses = 0;
    for (const [half, table] of halves.entries()) {
      const { calls, fitted } = judged[half]!;
      const found = definition.measure({ table, calls, policy, slots, popularity: fitted });
      hits += found.hits;
      accesses += found.accesses;
    }
    return {
      name: definition.name,
      policy: definition.policy ?? policy.name,
      hitRate: accesses === 0 ? 0 : hits / accesses,
    };
  });
  const missesUnder = (name: string) => 1 - (measured.find((each) => each.name === name)?.hitRate ?? 0);
  return {
    policy: policy.name,
    slots,
    rates: measured,
    missRatio: missesUnder("physical"),
    effectiveMissFraction: missesUnder("new-per-layer-token"),
  };
}
