import type { Node } from "../hardware/device.ts";
import type { Mapping } from "../sim/mapping.ts";
import { reachOf } from "../sim/mapping-over-nodes.ts";

/** Where the expert ranks of a stage lie: those in reach of one another share a node, or a rack's scale-up domain. */
export interface RankTopology {
  readonly ranks: number;
  readonly nodes: number;
  /** [ranks] */
  readonly nodeOf: readonly number[];
}

/** Expert rank r has the devices from r x etp on. */
export function rankTopology({ ep, etp }: Pick<Mapping, "ep" | "etp">, node: Node): RankTopology {
  const reach = reachOf(node);
  const nodeOf = Array.from({ length: ep }, (_, rank) => Math.floor((rank * etp) / reach));
  return { ranks: ep, nodes: nodeOf.at(-1)! + 1, nodeOf };
}
