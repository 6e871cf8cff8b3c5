import { formatCount, formatNumber, formatPercent } from "../../core/units.ts";
import type { PlanCandidate, PlanDocument } from "../../plan/answer/plan-document.ts";
import type { Outcome } from "../../plan/job/job.ts";
import { outcomeFigures } from "../../plan/job/outcome-figures.ts";
import { objectives } from "../../plan/objectives/objectives.ts";
import type { candidateStates } from "../../plan/search/track.ts";
import { milliseconds } from "../../report/labels.ts";
import type { TableColumn } from "../../report/widgets/column-widths.ts";
import type { Tone } from "../../report/widgets/styled-text.ts";

/** A figure of a candidate, or a text of it. */
export interface PlanColumn extends TableColumn {
  /** How a filter names it; null for what is not compared. */
  readonly id: string | null;
  /** How it is written in a filter. */
  readonly unit: "duration" | "share" | "number";
  /** By which it is sorted and compared, not below 0; NaN where it is not known. null for texts. */
  readonly value: ((candidate: PlanCandidate) => number) | null;
  readonly text: (candidate: PlanCandidate) => string;
}

const unknown = "-";

/** Known figures of objectives that have a column of their own. */
const objectiveColumns: Readonly<
  Record<string, { readonly header: string; readonly text: (value: number) => string }>
> = {
  cost: { header: "$/Mtok", text: (value) => formatNumber(value) },
  energy: { header: "J/tok", text: (value) => formatNumber(value) },
  goodput: { header: "goodput", text: (value) => formatPercent(1 - value, 2) },
  rate: { header: "requests/s", text: (value) => formatNumber(1 / value, 4) },
};

const figure = (
  id: string,
  header: string,
  value: (candidate: PlanCandidate) => number | null | undefined,
  text: (value: number) => string,
  more: { readonly unit?: PlanColumn["unit"]; readonly dispensable?: number } = {},
): PlanColumn => ({
  id,
  header,
  align: "right",
  unit: more.unit ?? "number",
  dispensable: more.dispensable,
  value: (candidate) => Math.max(0, value(candidate) ?? Number.NaN),
  text: (candidate) => {
    const found = value(candidate) ?? null;
    return found === null ? unknown : text(found);
  },
});

const label = (
  header: string,
  text: (candidate: PlanCandidate) => string,
  min: number,
  dispensable?: number,
): PlanColumn => ({ id: null, header, min, dispensable, unit: "number", value: null, text });

/** The columns of a table of candidates; the first stands for the order in which a plan would have them. */
export function planColumns(document: PlanDocument, objective: number): PlanColumn[] {
  const name = document.objectives[objective]?.name ?? "";
  const own = Object.hasOwn(objectiveColumns, name) ? objectiveColumns[name] : undefined;
  const rankOf = objectiveValues(document, objective);
  return [
    {
      ...label("status", ({ status }) => status, 10),
      value: standingValues(rankOf),
    },
    label("deployment", ({ name: of }) => of, 26),
    figure("devices", "devices", ({ devices }) => devices, formatCount),
    figure(
      "usd",
      "$/h",
      ({ usdPerHour }) => usdPerHour,
      (value) => formatNumber(value, 4),
      { dispensable: 4 },
    ),
    ...(own === undefined ? [] : [figure(name, own.header, rankOf, own.text)]),
    figure(
      "tightest",
      "tightest",
      ({ strain }) => strain,
      (value) => formatPercent(value, 0),
      { unit: "share", dispensable: 3 },
    ),
    figure("tpot", "TPOT p50", ({ figures }) => figures?.["tpot.p50"], milliseconds, {
      unit: "duration",
      dispensable: 5,
    }),
    figure("ttft", "TTFT p99", ({ figures }) => figures?.["ttft.p99"], milliseconds, {
      unit: "duration",
      dispensable: 6,
    }),
    label("why", whyOf, 16, 10),
    label("id", ({ id }) => id, 12, 11),
  ];
}

/** What excluded a candidate, or the SLO that is the nearest to its limit. */
const whyOf = ({ status, reason, cause, binding }: PlanCandidate): string =>
  (status === "feasible" ? (binding ?? "") : (reason ?? cause ?? "")).split("\n")[0] ?? "";

export function toneOf({ status }: Pick<PlanCandidate, "status">): Tone | undefined {
  if (status === "feasible") return "good";
  if (status === "untested") return undefined;
  return status === "pruned" ? "dim" : "bad";
}

/**
 * By what an objective ranks a candidate, less is better: as the plan says it of those that were found, else of its longest run. null
 * for what did not run, and for a run that does not serve what is offered.
 */
function objectiveValues(
  { objectives: answers, traffic }: PlanDocument,
  objective: number,
): (candidate: PlanCandidate) => number | null {
  const answer = answers[objective];
  if (answer === undefined) return () => null;
  const found = new Map(answer.found.toReversed().map(({ id, value }) => [id, value]));
  const { name } = answer;
  const known = Object.hasOwn(objectives, name) ? objectives[name as keyof typeof objectives] : null;
  return (candidate) => {
    const value = found.get(candidate.id);
    if (value !== undefined) return value;
    const { figures, cause } = candidate;
    if (known === null || figures === null || cause === "overloaded" || cause === "rejected") return null;
    const outcome = { ...noOutcome, figures: outcomeFigures.map(({ name: of }) => figures[of] ?? null) };
    return known.of(candidate, outcome, traffic);
  };
}

const noOutcome: Outcome = {
  status: "done",
  reason: null,
  verdict: null,
  passed: null,
  binding: null,
  strain: null,
  strainAtBest: null,
  figures: [],
};

/** Of these the first stand first. */
const stateOrder: Readonly<Record<(typeof candidateStates)[number], number>> = {
  feasible: 0,
  infeasible: 1,
  untested: 2,
  failed: 3,
  pruned: 4,
};

/** Largest value that still leaves a state before the next. */
const withinState = 1e6;
/** What strain adds to the value of feasible candidates: it tells equal ones apart, as in a plan. */
const strainWeight = 1e-8;

/** Feasible ones by what is looked for, those that ran by how near they came to the limits, the rest by their size. */
function standingValues(rankOf: (candidate: PlanCandidate) => number | null): (candidate: PlanCandidate) => number {
  return (candidate) => {
    const { status, strain, devices } = candidate;
    const within = status === "feasible" ? rankOf(candidate) : status === "infeasible" ? strain : devices;
    const apart = status === "feasible" ? strainWeight * Math.min(10, strain ?? 0) : 0;
    return stateOrder[status] * withinState + Math.max(0, Math.min(withinState - 1, within ?? withinState - 1)) + apart;
  };
}
