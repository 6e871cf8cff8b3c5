import type { PlanDocument } from "../plan/answer/plan-document.ts";
import type { PageSection } from "./page.ts";

/** A deployment by what it gives: output tokens/s of a user at the median, and of a device. */
export interface PlanPoint {
  readonly id: string;
  readonly perUser: number;
  readonly perDevice: number;
  /** 0 for most, 1 for those on the frontier or that were found, 2 for the chosen one. */
  readonly rank: 0 | 1 | 2;
  /** Clients of the closed loop in which it was run for a frontier, with the settings of that; null: under the load of the plan. */
  readonly loop: { readonly clients: number; readonly load: readonly string[] } | null;
}

const marks = ["·", "o", "@"] as const;

/** The points of the frontier where one was looked for, else those of every deployment that was run. */
export function planPoints({ candidates, objectives, frontier }: PlanDocument): PlanPoint[] {
  if (frontier !== null)
    return frontier.map(({ id, perUser, perDevice, best, concurrency, load }) => ({
      id,
      perUser,
      perDevice,
      rank: best ? 1 : 0,
      loop: { clients: concurrency, load },
    }));
  const first = objectives[0]?.found[0]?.id;
  const chosen = new Set(objectives.flatMap(({ found }) => found.map(({ id }) => id)));
  return candidates.flatMap(({ id, figures }): PlanPoint[] => {
    const [tpot, perDevice] = [figures?.["tpot.p50"] ?? null, figures?.["throughputPerDevice"] ?? null];
    if (tpot === null || perDevice === null) return [];
    return [{ id, perUser: 1000 / tpot, perDevice, rank: id === first ? 2 : chosen.has(id) ? 1 : 0, loop: null }];
  });
}

/** What the points are, in words. */
export const planPointsNote = ({ frontier }: PlanDocument): string =>
  frontier === null
    ? "of the runs on the longest sample of each deployment"
    : "of every layout, one replica under growing load";

/** Throughput of a device against speed of a user, of every deployment that was run: what a terminal can show of the choice. */
export function planFrontier(plan: PlanDocument): PageSection[] {
  const points = planPoints(plan);
  if (points.length < 2) return [];
  return [
    {
      kind: "plot",
      title: "Throughput against interactivity",
      note: planPointsNote(plan),
      plot: {
        x: "output tokens/s of a user (median)",
        y: "output tokens/s of a device",
        points: points.map(({ perUser, perDevice, rank }) => ({ x: perUser, y: perDevice, mark: marks[rank], rank })),
        legend: plan.frontier === null ? "@ chosen, o meets the SLOs, · others" : "o on the frontier, · others",
      },
    },
  ];
}
