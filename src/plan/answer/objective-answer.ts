import type { Objective } from "../objectives/objective.ts";
import { brokenText } from "../search/judge-track.ts";
import { bestByLayout } from "../search/search.ts";
import type { Track } from "../search/track.ts";
import type { PlanTraffic } from "../space/question.ts";
import type { ObjectiveAnswer } from "./plan-document.ts";

/** What an objective came to over the candidates of a search. */
export function answerOf(objective: Objective, tracks: readonly Track[], traffic: PlanTraffic): ObjectiveAnswer {
  const found = bestByLayout(objective, tracks, traffic);
  return {
    name: objective.name,
    title: objective.title,
    found: found.map(({ track, value }) => ({ id: track.candidate.id, value, text: objective.text(value) })),
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

const overload = ({ outcome }: Track): number => (outcome!.verdict === "overloaded" ? 1 : 0);
