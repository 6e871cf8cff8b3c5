import type { Resource } from "./resource.ts";

/** Of equal servers, the one that is free first for a demand at `atNs`; of equal ones, the first. */
export function firstFree(servers: readonly Resource[], atNs: number): Resource {
  let first = servers[0]!;
  let firstNs = first.settle(atNs);
  for (let i = 1; i < servers.length; i++) {
    const freeNs = servers[i]!.settle(atNs);
    if (freeNs < firstNs) {
      first = servers[i]!;
      firstNs = freeNs;
    }
  }
  return first;
}
