/** What a device may wait for that is no tier, in the order of its index. */
const ways = [
  "host link",
  "common host link",
  "link between sockets",
  "page cache",
  "write-back",
  "host processors",
  "late prefetch",
] as const;

/** Index of each cause of a stall: the ways, then the tiers of the node. */
export const stallCause = { link: 0, commonLink: 1, socketLink: 2, pages: 3, writeBack: 4, host: 5, late: 6 } as const;

/** Names of all causes, in the order of their index. */
export const stallNames = (tierNames: readonly string[]): readonly string[] => [...ways, ...tierNames];

/** Waiting for a tier of the node. */
export const tierCause = (tier: number): number => ways.length + tier;

/** Time that one expert rank stood still, by what its missing experts waited for. */
export class StallCauses {
  /** [causes] ns. */
  readonly ns: Float64Array;

  constructor(tiers: number) {
    this.ns = new Float64Array(ways.length + tiers);
  }

  /**
   * The device stood still for `waitNs` until an expert was there, as `last` was done. For the first `beforeNs` of them the
   * expert could not be sent yet, and `before` is to blame.
   */
  book(waitNs: number, beforeNs: number, before: number, last: number): void {
    const first = Math.min(Math.max(0, beforeNs), waitNs);
    this.ns[before]! += first;
    this.ns[last]! += waitNs - first;
  }
}

/** Sums over ranks by the name of what was waited for; nobody waited for what is not there. */
export function stallByName(causes: readonly StallCauses[], tierNames: readonly string[]): Record<string, number> {
  const by: Record<string, number> = {};
  for (const [cause, name] of stallNames(tierNames).entries()) {
    const ns = causes.reduce((sum, each) => sum + each.ns[cause]!, 0);
    if (ns > 0) by[name] = ns;
  }
  return by;
}
