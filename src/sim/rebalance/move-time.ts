import type { Link } from "../../hardware/device.ts";
import { transferNs } from "../../hardware/link-transfer.ts";
import type { RebalancePlan } from "../../policy/rebalance/rebalance.ts";
import type { PoolConfig } from "../config.ts";
import { stageRanks } from "../mapping.ts";
import { reachOf } from "../mapping-over-nodes.ts";
import { hostTier } from "../offload/offload-tiers.ts";
import type { ExpertMove } from "./expert-moves.ts";

/** Times the experts of a layer on their way between the ranks of a pipeline stage, or to them from their nodes' memory. */
export interface MoveTime {
  /** [expert ranks] node of each: ranks of one node reach each other over the scale-up links. */
  readonly nodeOf: readonly number[];
  /** Whether moves use links that the exchanges of steps use too. */
  readonly sharesLinks: boolean;
  /** Time until the slowest link is done, ns; 0 without moves. */
  ns(moves: readonly ExpertMove[]): number;
}

/** @param sliceBytes of an expert on one device; each device of an expert rank moves its own slice. */
export function moveTime(
  config: Pick<PoolConfig, "mapping" | "node">,
  stage: number,
  sliceBytes: number,
  source: RebalancePlan["source"],
): MoveTime {
  const { mapping, node } = config;
  const devicesPerRank = mapping.etp;
  const nodes = (size: number) =>
    Array.from({ length: mapping.ep }, (_, rank) =>
      Math.floor((stage * stageRanks(mapping) + rank * devicesPerRank) / size),
    );
  const { device } = node;
  if (source === "host") {
    const nodeOf = nodes(node.devicesPerNode);
    const memory = hostTier(node)?.read ?? null;
    return {
      nodeOf,
      sharesLinks: device.scaleUp === null,
      ns: (moves) => fromHost(moves, nodeOf, sliceBytes, devicesPerRank, device.hostLink, memory),
    };
  }
  const nodeOf = nodes(reachOf(node));
  const inside = device.scaleUp ?? device.hostLink;
  return { nodeOf, sharesLinks: true, ns: (moves) => betweenRanks(moves, nodeOf, sliceBytes, inside, device.scaleOut) };
}

/** Every link sends and receives at the same time; a rank's links inside and between nodes work beside each other. */
function betweenRanks(
  moves: readonly ExpertMove[],
  nodeOf: readonly number[],
  sliceBytes: number,
  inside: Link | null,
  between: Link | null,
): number {
  const ranks = nodeOf.length;
  const near = { sent: new Uint32Array(ranks), received: new Uint32Array(ranks) };
  const far = { sent: new Uint32Array(ranks), received: new Uint32Array(ranks) };
  for (const { from, to } of moves) {
    const way = nodeOf[from] === nodeOf[to] ? near : far;
    way.sent[from]! += 1;
    way.received[to]! += 1;
  }
  const most = ({ sent, received }: typeof near) => Math.max(...sent, ...received) * sliceBytes;
  const over = (link: Link | null, bytes: number) => (link === null ? 0 : transferNs(link, bytes));
  return Math.max(over(inside, most(near)), over(between ?? inside, most(far)));
}

/** Each device copies what it lacks over its host link, out of memory that its node's devices read one after the other. */
function fromHost(
  moves: readonly ExpertMove[],
  nodeOf: readonly number[],
  sliceBytes: number,
  devicesPerRank: number,
  hostLink: Link | null,
  memory: Link | null,
): number {
  const received = new Uint32Array(nodeOf.length);
  const read = new Map<number, number>();
  for (const { to } of moves) {
    received[to]! += 1;
    const node = nodeOf[to]!;
    read.set(node, (read.get(node) ?? 0) + devicesPerRank * sliceBytes);
  }
  const over = (link: Link | null, bytes: number) => (link === null ? 0 : transferNs(link, bytes));
  return Math.max(over(hostLink, Math.max(...received) * sliceBytes), over(memory, Math.max(0, ...read.values())));
}
