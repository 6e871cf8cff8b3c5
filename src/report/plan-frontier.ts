import type { PlanDocument } from "../plan/answer/plan-document.ts";
import type { PageSection } from "./page.ts";

/** Throughput of a device against speed of a user, of every deployment that was run: what a terminal can show of the choice. */
export function planFrontier({ candidates, objectives, frontier }: PlanDocument): PageSection[] {
  const first = objectives[0]?.found[0]?.id;
  const chosen = new Set(objectives.flatMap(({ found }) => found.map(({ id }) => id)));
  const points =
    frontier === null
      ? candidates.flatMap(({ id, figures }) => {
          const [tpot, perDevice] = [figures?.["tpot.p50"] ?? null, figures?.["throughputPerDevice"] ?? null];
          if (tpot === null || perDevice === null) return [];
          const rank = id === first ? 2 : chosen.has(id) ? 1 : 0;
          return [{ x: 1000 / tpot, y: perDevice, mark: "·o@"[rank]!, rank }];
        })
      : frontier.map(({ perUser, perDevice, best }) => ({
          x: perUser,
          y: perDevice,
          mark: best ? "o" : "·",
          rank: Number(best),
        }));
  if (points.length < 2) return [];
  return [
    {
      kind: "plot",
      title: "Throughput against interactivity",
      note:
        frontier === null
          ? "of the runs on the longest sample of each deployment"
          : "of every layout, one replica under growing load",
      plot: {
        x: "output tokens/s of a user (median)",
        y: "output tokens/s of a device",
        points,
        legend: frontier === null ? "@ chosen, o meets the SLOs, · others" : "o on the frontier, · others",
      },
    },
  ];
}
