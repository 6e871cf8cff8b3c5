import type { RouterView } from "../policy/router/router.ts";
import type { Domain } from "./domain.ts";
import type { Replica } from "./replica.ts";
import type { RequestState } from "./request-state.ts";

/** What a router sees of the data-parallel ranks of one replica. */
export function rankView(domains: readonly Domain[], state: RequestState, prefixCaching: boolean): RouterView {
  return {
    targets: domains.length,
    waiting: (rank) => domains[rank]!.waiting.size,
    running: (rank) => domains[rank]!.runningCount,
    outstandingTokens: (rank) => domains[rank]!.outstandingTokens,
    cachedPromptTokens: (rank, request) =>
      prefixCaching ? domains[rank]!.kv.cachedTokens(request, state.promptTokens[request]!) : 0,
  };
}

/** What a router sees of whole replicas: all their ranks, requests in their front ends, and the best cache of a rank. */
export function replicaView(replicas: readonly Replica[], ranks: readonly RouterView[]): RouterView {
  const sum = (replica: number, of: (domain: Domain) => number) => {
    let total = 0;
    for (const domain of replicas[replica]!.domains) total += of(domain);
    return total;
  };
  return {
    targets: replicas.length,
    waiting: (replica) => replicas[replica]!.frontEnds.outstanding + sum(replica, (domain) => domain.waiting.size),
    running: (replica) => replicas[replica]!.runningCount(),
    outstandingTokens: (replica) =>
      replicas[replica]!.frontEnds.outstandingTokens + sum(replica, (domain) => domain.outstandingTokens),
    cachedPromptTokens: (replica, request) => {
      const view = ranks[replica]!;
      let most = 0;
      for (let rank = 0; rank < view.targets; rank++) most = Math.max(most, view.cachedPromptTokens(rank, request));
      return most;
    },
  };
}
