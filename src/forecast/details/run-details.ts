import { handoverRows } from "../../sim/outcome/handover-rows.ts";
import { requestRows } from "../../sim/outcome/request-rows.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import type { HandoverRows, RequestRows } from "../../sim/result.ts";
import { type LinkUse, linksOf } from "../live/links.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { type CacheDetails, cacheDetails } from "./cache-details.ts";
import { type ExpertDetails, expertDetails } from "./expert-details.ts";

/** What a forecast has no room for: every request, every expert, every link. Plain values, for screens. */
export interface RunDetails {
  readonly requests: RequestRows;
  /** null where every pool serves its requests alone. */
  readonly handover: HandoverRows | null;
  /** Of each pool that replays routing. */
  readonly experts: readonly ExpertDetails[];
  /** Of each pool with expert caches. */
  readonly caches: readonly CacheDetails[];
  readonly links: readonly LinkUse[];
  readonly endNs: number;
  /** Absent where nobody asked for it. */
  readonly timeline?: Timeline;
}

/** The details of a run that has ended. The arrays are its own. */
export function detailsOf(run: RunView): RunDetails {
  const { handover } = run;
  return {
    requests: requestRows(run),
    handover: handover === null ? null : handoverRows(handover),
    experts: run.pools.flatMap((pool) => expertDetails(pool) ?? []),
    caches: run.pools.flatMap((pool) => cacheDetails(pool) ?? []),
    links: linksOf(run),
    endNs: run.nowNs,
  };
}
