import type { Outcome } from "../job/job.ts";
import { figureOf } from "../objectives/figure-of.ts";
import type { Objective } from "../objectives/objective.ts";
import type { PlanTraffic } from "../space/question.ts";
import type { Evaluator } from "./evaluator.ts";
import { takeOutcome, tooShort } from "./judge-track.ts";
import type { Rung } from "./rungs.ts";
import { settle, type Track } from "./track.ts";

/** Candidates that are run at once on each sample: many on short ones, few on all requests. Whatever the number of threads. */
const batchOf = (rung: number, { decides }: Rung): number => (decides ? 2 : rung === 0 ? 8 : 4);
/** Fewer replicas than this share of those that the load needs are not run: one that is overloaded may serve less than it could. */
const surelyTooFew = 0.5;

export interface SearchDeps {
  readonly evaluator: Evaluator;
  readonly rungs: readonly Rung[];
  readonly traffic: PlanTraffic;
  /** Layouts to find beside the best one. */
  readonly alternatives: number;
  readonly exhaustive: boolean;
  readonly onProgress?: ((tracks: readonly Track[]) => void) | undefined;
}

/**
 * Finds the best candidates by an objective, and those of other layouts next to it. The most promising candidates are run first: by
 * what they may be at best, then those without a run, then by how far from their SLOs. What a sample excludes ends; what it lets pass
 * goes on to the next. It stops where nothing left can beat what was found: every candidate that is left untested is bounded by it.
 */
export async function searchFor(objective: Objective, tracks: readonly Track[], deps: SearchDeps): Promise<void> {
  const { evaluator, rungs, traffic } = deps;
  for (;;) {
    const open = stillOpen(objective, tracks, deps);
    if (open.length === 0) return;
    const [first] = open;
    const rung = first!.rung;
    const batch = open.filter((track) => track.rung === rung).slice(0, batchOf(rung, rungs[rung]!));
    const outcomes = await evaluator.outcomes(
      batch.map(({ candidate }) => [...candidate.settings, ...rungs[rung]!.settings]),
    );
    for (const [i, track] of batch.entries()) {
      takeOutcome(track, outcomes[i]!, rungs[rung]!, { isLast: rung === rungs.length - 1, traffic });
      if (!deps.exhaustive) excludeFewer(track, tracks, traffic);
    }
    deps.onProgress?.(tracks);
  }
}

/** A candidate that is worth a run, and what may come of it or of fewer replicas of its layout at best. */
interface Choice {
  readonly track: Track;
  readonly atBest: number;
}

/** What may still be among the best, the most promising first. */
function stillOpen(objective: Objective, tracks: readonly Track[], deps: SearchDeps): Track[] {
  const { alternatives, exhaustive, traffic } = deps;
  const found = bestByLayout(objective, tracks, traffic);
  const threshold = found[alternatives]?.value ?? Number.POSITIVE_INFINITY;
  const ofLayout = new Map(found.map(({ track, value }) => [track.candidate.layout, value]));
  const open = tracks
    .filter(({ state }) => state === "untested")
    .map((track): Choice => ({ track, atBest: atBest(objective, track, traffic) }))
    .filter(
      ({ track, atBest: value }) =>
        exhaustive || (value < threshold && value < (ofLayout.get(track.candidate.layout) ?? Number.POSITIVE_INFINITY)),
    );
  // Where the objective is known before anything runs, a layout is a search for its fewest replicas.
  const choices = exhaustive || objective.slack(traffic) > 0 ? open : onePerLayout(open, tracks);
  return choices.sort((a, b) => a.atBest - b.atBest || byPromise(a.track, b.track)).map(({ track }) => track);
}

/** Replicas grow by this from one that does not meet the SLOs to the next that is tried, until one does. */
const growth = 1.5;

/**
 * Of the candidates of each layout the one to run: the one that is on its way; else the fewest replicas; after these have failed half
 * as many again, until some meet the SLOs; then the middle between. It stands for the fewest replicas that are left.
 */
function onePerLayout(open: readonly Choice[], tracks: readonly Track[]): Choice[] {
  const groups = new Map<string, Choice[]>();
  for (const choice of open) {
    const { layout } = choice.track.candidate;
    groups.set(layout, [...(groups.get(layout) ?? []), choice]);
  }
  const settled = new Map<string, { failed: number; meets: boolean }>();
  for (const { state, candidate } of tracks) {
    const { layout, replicas } = candidate;
    const before = settled.get(layout) ?? { failed: 0, meets: false };
    settled.set(layout, {
      failed: state === "infeasible" ? Math.max(before.failed, replicas ?? 0) : before.failed,
      meets: before.meets || state === "feasible",
    });
  }
  return [...groups].map(([layout, group]) => {
    group.sort((a, b) => (a.track.candidate.replicas ?? 0) - (b.track.candidate.replicas ?? 0));
    const { failed, meets } = settled.get(layout)!;
    const next = meets
      ? group[Math.floor(group.length / 2)]
      : (group.find(({ track }) => (track.candidate.replicas ?? 0) >= failed * growth) ?? group.at(-1));
    const { track } = group.find(({ track: { rung } }) => rung > 0) ?? next!;
    return { track, atBest: Math.min(...group.map((one) => one.atBest)) };
  });
}

/** Among equals: those without a run first, then by how near the run on the longest sample came to its limits. */
function byPromise(a: Track, b: Track): number {
  if ((a.rung === 0) !== (b.rung === 0)) return a.rung - b.rung;
  return (a.outcome?.strain ?? 0) - (b.outcome?.strain ?? 0) || a.index - b.index;
}

/** What a candidate may come to at best: its bound, or what its longest run showed with some slack. */
function atBest(objective: Objective, { candidate, outcome }: Track, traffic: PlanTraffic): number {
  const bound = objective.bound(candidate, traffic);
  const shown = outcome === null || outcome.status !== "done" ? null : objective.of(candidate, outcome, traffic);
  return shown === null ? bound : Math.max(bound, shown * (1 - objective.slack(traffic)));
}

/** Feasible candidates by what they came to, the best of each layout alone. */
export function bestByLayout(
  objective: Objective,
  tracks: readonly Track[],
  traffic: PlanTraffic,
): { readonly track: Track; readonly value: number }[] {
  const layouts = new Set<string>();
  return tracks
    .filter(({ state, outcome }) => state === "feasible" && outcome !== null)
    .map((track) => ({
      track,
      value: objective.of(track.candidate, track.outcome!, traffic) ?? Number.POSITIVE_INFINITY,
    }))
    .sort(
      (a, b) =>
        a.value - b.value ||
        (a.track.outcome!.strain ?? 0) - (b.track.outcome!.strain ?? 0) ||
        a.track.index - b.track.index,
    )
    .filter(({ track }) => {
      const seen = layouts.has(track.candidate.layout);
      layouts.add(track.candidate.layout);
      return !seen;
    });
}

/** What fewer devices come nearer to: it excludes no fewer replicas. */
const perDevice = /^(?:throughputPerDevice|costUsdPerMtok)\b/;

/**
 * What a number of replicas does not meet, fewer of the same layout meet less: each has more to do. An overloaded one also says how
 * much a replica sustains at most, and so how many the load needs.
 */
function excludeFewer(
  { candidate, outcome, state, cause, reason }: Track,
  tracks: readonly Track[],
  traffic: PlanTraffic,
): void {
  const { replicas, layout } = candidate;
  if (state !== "infeasible" || outcome === null || outcome.status !== "done" || replicas === null) return;
  if (cause === tooShort) return;
  if (outcome.verdict !== "overloaded" && perDevice.test(outcome.binding ?? "")) return;
  const sustained = outcome.verdict === "overloaded" ? sustainedAtMost(outcome) : null;
  const { ratePerSecond } = traffic;
  const needed =
    sustained === null || ratePerSecond === null
      ? replicas
      : Math.max(replicas, (replicas * ratePerSecond * surelyTooFew) / sustained);
  for (const other of tracks)
    if (other.state === "untested" && other.candidate.layout === layout && (other.candidate.replicas ?? 0) < needed)
      settle(
        other,
        "infeasible",
        outcome.verdict === "overloaded" ? "overloaded" : outcome.binding,
        `${replicas} replicas: ${reason ?? ""}`,
      );
}

/** Upper end of the interval of the rate that an overloaded deployment sustains: a short run says little of it. */
function sustainedAtMost(outcome: Outcome): number | null {
  const rate = figureOf(outcome, "sustainedRequestRate");
  const halfWidth = figureOf(outcome, "sustainedHalfWidth");
  return rate === null || halfWidth === null || !(rate > 0) ? null : rate + halfWidth;
}
