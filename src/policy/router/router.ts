/**
 * What a router sees of its targets. These are the replicas when a request arrives, and the data-parallel ranks of the
 * chosen one when it is tokenised. Requests in the front ends of a replica count as its own.
 */
export interface RouterView {
  readonly targets: number;
  waiting(target: number): number;
  running(target: number): number;
  /** Prompt and output tokens of requests, admitted or waiting, that are not finished. */
  outstandingTokens(target: number): number;
  /** Prompt tokens of this request whose KV blocks the target holds. */
  cachedPromptTokens(target: number, request: number): number;
}

export interface Router {
  choose(request: number, view: RouterView): number;
}

/** A request router: one file each, listed in `routers.ts`. */
export interface RouterPolicy {
  readonly name: string;
  create(targets: number): Router;
}
