import type { Link, Node } from "../../hardware/device.ts";

/** Links of a device that sends and of one that receives. Every device has its own. */
export interface HandoverLinks {
  readonly sending: Link;
  readonly receiving: Link;
}

/**
 * Links between a prefill and a decode replica; null where there are none. `together`: both lie in one node, or in one
 * scale-up domain of a rack. There the scale-up links lead across, or the host links where devices meet only through the
 * host. Elsewhere each device uses its link between nodes.
 */
export function handoverLinks(prefill: Node, decode: Node, together: boolean): HandoverLinks | null {
  const linkOf = ({ device }: Node) => (together ? (device.scaleUp ?? device.hostLink) : device.scaleOut);
  const sending = linkOf(prefill);
  const receiving = linkOf(decode);
  return sending === null || receiving === null ? null : { sending, receiving };
}
