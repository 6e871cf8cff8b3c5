import { formatCount, formatNumber } from "../../core/units.ts";
import type { FrontierPoint } from "../frontier/frontier.ts";
import type { Outcome } from "../job/job.ts";
import { figureOf } from "../objectives/figure-of.ts";
import type { Objective } from "../objectives/objective.ts";
import type { LargestRate } from "../rate/largest-rate.ts";
import { brokenText } from "../search/judge-track.ts";
import { bestByLayout } from "../search/search.ts";
import type { Track } from "../search/track.ts";
import type { PlanTraffic } from "../space/question.ts";
import type { ObjectiveAnswer, ShownFigures } from "./plan-document.ts";

/** What an objective came to over the candidates of a search. */
export function answerOf(objective: Objective, tracks: readonly Track[], traffic: PlanTraffic): ObjectiveAnswer {
  const found = bestByLayout(objective, tracks, traffic);
  return {
    name: objective.name,
    title: objective.title,
    found: found.map(({ track, value }) => ({
      id: track.candidate.id,
      value,
      text: objective.text(value),
      load: [],
      shown: shownOf(track.outcome!),
    })),
    closest: found.length > 0 ? null : closestOf(tracks),
  };
}

/** The run that comes the nearest to its limits: over all requests before samples, which make light of them; overloaded ones last. */
function closestOf(tracks: readonly Track[]): ObjectiveAnswer["closest"] {
  const [nearest] = tracks
    .filter(({ outcome }) => outcome !== null && outcome.status === "done" && outcome.strain !== null)
    .sort((a, b) => overload(a) - overload(b) || b.requests - a.requests || a.outcome!.strain! - b.outcome!.strain!);
  return nearest === undefined
    ? null
    : { id: nearest.candidate.id, shortfall: nearest.reason ?? brokenText(nearest.outcome!) };
}

/** What a search for the largest rate came to. */
export function rateAnswer(rates: readonly LargestRate[], tracks: readonly Track[]): ObjectiveAnswer {
  return {
    name: "rate",
    title: "largest rate",
    found: rates.map(({ track, perSecond, load }) => ({
      id: track.candidate.id,
      value: 1 / perSecond,
      text: `${formatNumber(perSecond, 4)} requests/s`,
      load,
      shown: shownOf(track.atRate!.outcome!),
    })),
    closest: rates.length > 0 ? null : closestOf(tracks),
  };
}

/** What a search for the frontier came to: its points from the fastest for a user on. */
export function frontierAnswer(points: readonly FrontierPoint[]): ObjectiveAnswer {
  return {
    name: "frontier",
    title: "throughput against interactivity",
    found: points
      .filter(({ best }) => best)
      .sort((a, b) => b.perUser - a.perUser)
      .map(({ id, perDevice, perUser, concurrency, load }) => ({
        id,
        value: 1 / perDevice,
        text: `${formatNumber(perUser, 3)} tok/s a user, ${formatNumber(perDevice, 4)} a device, ${formatCount(concurrency)} client${concurrency === 1 ? "" : "s"}`,
        load,
        shown: null,
      })),
    closest: null,
  };
}

const shownOf = (outcome: Outcome): ShownFigures => ({
  ttftP99Ms: figureOf(outcome, "ttft.p99"),
  tpotP50Ms: figureOf(outcome, "tpot.p50"),
  binding: outcome.binding,
  strain: outcome.strain,
});

const overload = ({ outcome }: Track): number => (outcome!.verdict === "overloaded" ? 1 : 0);
