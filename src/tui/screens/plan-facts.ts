import type { PlanCandidate, PlanDocument } from "../../plan/answer/plan-document.ts";
import { type FailureCause, failureCauses } from "../../report/plan-failures.ts";
import { type PlanPoint, planPoints } from "../../report/plan-frontier.ts";
import { candidatesById, planVerdict } from "../../report/plan-verdict.ts";
import type { DotSeries } from "../../report/widgets/dot-plot.ts";

/** What is read out of a plan once, however often it is drawn. */
export interface PlanFacts {
  readonly known: ReadonlyMap<string, PlanCandidate>;
  readonly verdict: readonly string[];
  /** Whether every objective has an answer. */
  readonly isFound: boolean;
  /** From the slowest for a user on. */
  readonly points: readonly PlanPoint[];
  /** The same as what a plot draws: others, those found, the chosen one. */
  readonly series: readonly DotSeries[];
  readonly causes: readonly FailureCause[];
}

const kept = new WeakMap<PlanDocument, PlanFacts>();

/** The facts of a plan, made when they are first asked for. */
export function planFacts(document: PlanDocument): PlanFacts {
  const before = kept.get(document);
  if (before !== undefined) return before;
  const known = candidatesById(document);
  const points = planPoints(document).sort((a, b) => a.perUser - b.perUser || a.perDevice - b.perDevice);
  const facts = {
    known,
    verdict: planVerdict(document, known),
    isFound: document.objectives.every(({ found }) => found.length > 0),
    points,
    series: seriesOf(points, document.frontier !== null),
    causes: failureCauses(document.candidates),
  };
  kept.set(document, facts);
  return facts;
}

function seriesOf(points: readonly PlanPoint[], isFrontier: boolean): DotSeries[] {
  const ranked = (rank: PlanPoint["rank"], name: string, sign: string | null): DotSeries => {
    const own = points.filter((point) => point.rank === rank);
    return {
      name,
      x: Float64Array.from(own, ({ perUser }) => perUser),
      y: Float64Array.from(own, ({ perDevice }) => perDevice),
      sign,
    };
  };
  const others = ranked(0, "others", null);
  return isFrontier
    ? [others, ranked(1, "on the frontier", "o")]
    : [others, ranked(1, "best of layout", "o"), ranked(2, "chosen", "@")];
}
