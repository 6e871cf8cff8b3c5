import { nsPerSecond } from "./cost/context.ts";
import { CostModel } from "./cost.ts";
import type { Link, Node } from "./device.ts";
import { hostDevice } from "./host-processors.ts";
import { activationsFor, mathFor } from "./math-format.ts";
import type { GroupedGemmOp } from "./op.ts";

/** One routed expert: its weights and what a token brings and takes. */
export type ExpertShape = Pick<
  GroupedGemmOp,
  "parametersPerExpert" | "shardWidth" | "valuesPerPair" | "weightFormat" | "bytesPerWeight"
> & {
  /** Bytes that are moved. */
  readonly bytes: number;
};

/** From how many tokens of an expert on it is quicker to move it to a device than to compute it on the host. */
export interface BreakEven {
  /** s*, tokens of one expert; Infinity where the host is always quicker. */
  readonly tokensPerExpert: number;
  /** Time to move the expert over a device's link, ns. */
  readonly moveNs: number;
  /** Rate at which the host's kernels read weights, and at which the link moves them, bytes per second. */
  readonly hostBytesPerSecond: number;
  readonly linkBytesPerSecond: number;
  /** k: tokens that the host computes in the time in which it reads the expert. */
  readonly tokensPerRead: number;
}

/**
 * Break-even between moving an expert and computing it where it lies; null where a node has no known host processors or no
 * link to its devices. The host reads an expert once for all its tokens, at `hostBytesPerSecond`, and computes
 * `tokensPerRead` of them meanwhile; the link moves it at `linkBytesPerSecond`. Far above `tokensPerRead` the two take the same
 * time at s* = tokensPerRead x hostBytesPerSecond / linkBytesPerSecond. Exactly: the fewest tokens for which the host takes
 * longer, launch included. What the device takes for the expert is left out, as is who else uses the link.
 */
export function breakEven(node: Node, expert: ExpertShape): BreakEven | null {
  const host = hostDevice(node);
  const { hostLink } = node.device;
  const [tier] = node.tiers;
  if (host === null || hostLink === null || tier === undefined) return null;
  const { bytes, ...shape } = expert;
  const cost = new CostModel(host, node);
  const { weightFormat } = shape;
  const math = mathFor(host, weightFormat, activationsFor(weightFormat, host));
  const hostNs = (tokens: number) =>
    cost.opNs({ kind: "groupedGemm", ...shape, pairs: tokens, distinctExperts: 1, presentedPairs: 0, math });
  const linkBytesPerSecond = Math.min(reached(hostLink), reached(tier.read));
  const moveNs = hostLink.latencyNs + (bytes / linkBytesPerSecond) * nsPerSecond;
  const hostBytesPerSecond = host.memoryBytesPerSecond * host.efficiency.groupedGemmMemory;
  const readNs = (bytes / hostBytesPerSecond) * nsPerSecond;
  // Per token, far from where reading matters.
  const tokenNs = (hostNs(2 * most) - hostNs(most)) / most;
  return {
    tokensPerExpert: fewest((tokens) => hostNs(tokens) > moveNs),
    moveNs,
    hostBytesPerSecond,
    linkBytesPerSecond,
    tokensPerRead: readNs / tokenNs,
  };
}

const reached = ({ bytesPerSecond, efficiency }: Link): number => bytesPerSecond * efficiency;

/** More tokens than any step gives an expert. */
const most = 1 << 24;

/** The fewest tokens that fulfil what all larger counts do; Infinity where none up to the most does. */
function fewest(fulfils: (tokens: number) => boolean): number {
  if (!fulfils(most)) return Number.POSITIVE_INFINITY;
  let [below, least] = [0, most];
  while (least - below > 1) {
    const middle = Math.floor((below + least) / 2);
    if (fulfils(middle)) least = middle;
    else below = middle;
  }
  return least;
}
