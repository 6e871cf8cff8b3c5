import { resourceParts } from "../../sim/outcome/resource-use.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";

/** What a resource did so far, ns and bytes. */
export interface LinkUse {
  readonly name: string;
  readonly busyNs: number;
  readonly bytes: number;
  /** null for what has no turns: a replica, the experts of a rank, links between devices. */
  readonly turns: {
    readonly demandNs: number;
    readonly backgroundNs: number;
    /** Time that demands waited for demands before them, and for background work in progress. */
    readonly behindDemandNs: number;
    readonly behindBackgroundNs: number;
    readonly demands: number;
    readonly chunks: number;
  } | null;
}

/** Every resource of a run. */
export const linksOf = (run: RunView): LinkUse[] =>
  resourceParts(run).map(({ name, busyNs, bytes, resource }) => ({
    name,
    busyNs,
    bytes,
    turns:
      resource === undefined
        ? null
        : {
            demandNs: resource.demandBusyNs,
            backgroundNs: resource.backgroundBusyNs,
            behindDemandNs: resource.demandWaitNs,
            behindBackgroundNs: resource.backgroundWaitNs,
            demands: resource.demands,
            chunks: resource.chunks,
          },
  }));
