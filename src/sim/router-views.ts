import type { RouterView } from "../policy/router/router.ts";
import type { DpRank } from "./dp-rank.ts";
import type { Replica } from "./replica.ts";
import type { RequestState } from "./request-state.ts";

/** What a router sees of the data-parallel ranks of one replica. */
export function rankView(dpRanks: readonly DpRank[], state: RequestState, prefixCaching: boolean): RouterView {
  return {
    targets: dpRanks.length,
    waiting: (rank) => dpRanks[rank]!.waiting.size + dpRanks[rank]!.arriving.size,
    running: (rank) => dpRanks[rank]!.runningCount,
    outstandingTokens: (rank) => dpRanks[rank]!.outstandingTokens,
    cachedPromptTokens: (rank, request) =>
      prefixCaching ? dpRanks[rank]!.kv.cachedTokens(request, state.promptTokens[request]!) : 0,
  };
}

/**
 * What a router sees of whole replicas: all their ranks, the requests in their front ends, the best cache of a rank.
 */
export function replicaView(replicas: readonly Replica[], ranks: readonly RouterView[]): RouterView {
  return {
    targets: replicas.length,
    waiting: (replica) => replicas[replica]!.waitingCount(),
    running: (replica) => replicas[replica]!.runningCount(),
    outstandingTokens: (replica) => replicas[replica]!.outstandingTokens(),
    cachedPromptTokens: (replica, request) => {
      const view = ranks[replica]!;
      let most = 0;
      for (let rank = 0; rank < view.targets; rank++) most = Math.max(most, view.cachedPromptTokens(rank, request));
      return most;
    },
  };
}
