import type { FoundCandidate, PlanCandidate, PlanDocument } from "../../plan/answer/plan-document.ts";
import { standingLoad } from "../../plan/answer/standing-load.ts";
import type { PlanPoint } from "../../report/plan-frontier.ts";
import { planFacts } from "./plan-facts.ts";
import { type CandidateView, type ShownCandidates, shownCandidates } from "./plan-order.ts";

/** Parts of the plan screen. */
export const planParts = ["answer", "candidates", "frontier", "failures", "page"] as const;
export type PlanPart = (typeof planParts)[number];

/** What the plan screen remembers. */
export interface PlanState {
  /** The plan that all of this is about; null before the first. */
  readonly document: PlanDocument | null;
  readonly part: PlanPart;
  readonly view: CandidateView;
  /** The selected row of each part, and the row at its top. */
  readonly selected: Readonly<Record<PlanPart, number>>;
  readonly from: Readonly<Record<PlanPart, number>>;
  /** The first line of the selected candidate in full; null while it is not open. */
  readonly open: number | null;
}

const zeros: Readonly<Record<PlanPart, number>> = { answer: 0, candidates: 0, frontier: 0, failures: 0, page: 0 };

export const planStart: PlanState = {
  document: null,
  part: "answer",
  view: { objective: 0, sort: 0, descending: false, filter: "", cause: null },
  selected: zeros,
  from: zeros,
  open: null,
};

/** What is remembered of another plan holds for this one no more. The frontier begins at what was chosen. */
export function ofPlan(own: PlanState, document: PlanDocument): PlanState {
  if (own.document === document) return own;
  const { points } = planFacts(document);
  const best = points.reduce((most, { rank }, i) => (rank > (points[most]?.rank ?? 0) ? i : most), 0);
  return { ...planStart, document, selected: { ...zeros, frontier: best } };
}

/** A candidate that is selected, and settings of the traffic under which it stands. */
export interface Choice {
  readonly candidate: PlanCandidate;
  readonly load: readonly string[];
  /** Its point on the frontier, where that was selected. */
  readonly point: PlanPoint | null;
}

/** What the parts of a plan list, and which of it is selected. */
export interface PlanRows {
  readonly candidates: ShownCandidates;
  readonly found: readonly FoundCandidate[];
  /** Of the part that is shown. */
  readonly count: number;
  readonly at: number;
  /** null where nothing is selected, or what is selected is no candidate. */
  readonly choice: Choice | null;
}

export function planRows(own: PlanState, document: PlanDocument): PlanRows {
  const { known, points, causes } = planFacts(document);
  const candidates = shownCandidates(document, own.view);
  const answer = document.objectives[own.view.objective];
  const found = answer?.found ?? [];
  const count = {
    answer: found.length,
    candidates: candidates.rows.length,
    frontier: points.length,
    failures: causes.length,
    page: 0,
  }[own.part];
  const at = Math.max(0, Math.min(count - 1, own.selected[own.part]));
  const choiceOf = (candidate: PlanCandidate, load: readonly string[], point: PlanPoint | null = null): Choice => ({
    candidate,
    load: standingLoad(document, candidate, load),
    point,
  });
  const choice = (): Choice | null => {
    if (own.part === "answer") {
      const one = found[at] ?? answer?.closest ?? null;
      return one === null ? null : choiceOf(known.get(one.id)!, "load" in one ? one.load : []);
    }
    if (own.part === "candidates" && count > 0) {
      const candidate = document.candidates[candidates.rows[at]!]!;
      return choiceOf(candidate, found.find(({ id }) => id === candidate.id)?.load ?? []);
    }
    const point = own.part === "frontier" ? points[at] : undefined;
    return point === undefined ? null : choiceOf(known.get(point.id)!, point.loop?.load ?? [], point);
  };
  return { candidates, found, count, at, choice: choice() };
}

/** Whether a setting belongs to the question of a plan, not to what is run. */
const isQuestion = (setting: string): boolean => /^plan[.=]/.test(setting);

/** All settings of a choice over the file of the scenario. */
export const choiceSettings = ({ scenario }: PlanDocument, { candidate, load }: Choice): string[] => [
  ...scenario.settings.filter((setting) => !isQuestion(setting)),
  ...candidate.settings,
  ...load,
];
