import { requestRows } from "../../sim/outcome/request-rows.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import { expertDetails } from "../details/expert-details.ts";
import { type CachePicture, cachePicture } from "./cache-picture.ts";
import { type ExpertPicture, expertPicture } from "./expert-picture.ts";
import { type LatencyPicture, latencyPicture } from "./latency-picture.ts";

/** What charts of a run show beside its figures, small enough for every result document. */
export interface RunPicture {
  readonly latency: LatencyPicture;
  /** Of each pool that replays routing. */
  readonly experts: readonly ExpertPicture[];
  /** Of each pool whose expert caches were asked. */
  readonly caches: readonly CachePicture[];
}

/** The picture of a run that has ended. */
export const runPicture = (run: RunView): RunPicture => ({
  latency: latencyPicture(requestRows(run)),
  experts: run.pools.flatMap((pool) => {
    const details = expertDetails(pool, false);
    return details === null ? [] : [expertPicture(details)];
  }),
  caches: run.pools.flatMap((pool) => cachePicture(pool) ?? []),
});
