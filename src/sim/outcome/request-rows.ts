import type { RequestRows } from "../result.ts";
import type { RunView } from "./run-view.ts";

/** What became of the requests of a run so far. The arrays are those of the run, but for the replicas: these are of now. */
export function requestRows({ config, state, replicas, dpRanks }: RunView): RequestRows {
  const { requests } = config.workload;
  const replicaOf = new Uint16Array(dpRanks.length);
  for (const { place, dpRanks: own } of replicas)
    replicaOf.fill(place.index, place.firstRank, place.firstRank + own.length);
  return {
    count: state.count,
    status: state.status,
    arrivalNs: state.arrivalNs,
    scheduledNs: state.scheduledNs,
    firstTokenNs: state.firstTokenNs,
    lastTokenNs: state.lastTokenNs,
    promptTokens: state.promptTokens,
    cachedTokens: state.cachedTokens,
    outputTokens: state.outputTokens,
    classOf: requests.classOf,
    classes: requests.classes,
    replicaOf: state.dpRank.map((dpRank) => replicaOf[dpRank]!),
    preemptions: state.preemptions,
    warmup: Math.min(config.warmupRequests, state.count),
  };
}
