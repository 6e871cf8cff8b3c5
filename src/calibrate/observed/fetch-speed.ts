import type { Link, Node } from "../../hardware/device.ts";
import type { SimConfig } from "../../sim/config.ts";

/**
 * A deployment whose transfers of experts take `factor` times as long: the share of its bandwidth that each way from the
 * host to a device reaches, at most all of it. Without experts in host memory, the deployment as it is.
 */
export function withFetches(config: SimConfig, factor: number): SimConfig {
  return config.offload === null || factor === 1 ? config : { ...config, node: nodeWith(config.node, factor) };
}

function nodeWith(node: Node, factor: number): Node {
  const { sockets } = node;
  const { hostLink } = node.device;
  return {
    ...node,
    ...(sockets === undefined ? {} : { sockets: { ...sockets, link: slowed(sockets.link, factor) } }),
    device: { ...node.device, hostLink: hostLink === null ? null : slowed(hostLink, factor) },
    tiers: node.tiers.map((tier) => ({ ...tier, read: slowed(tier.read, factor) })),
  };
}

const slowed = (link: Link, factor: number): Link => ({ ...link, efficiency: Math.min(1, link.efficiency / factor) });

/** The least factor that changes anything: beyond it every way from the host reaches its whole bandwidth. */
export function fetchFactorMin({ device, tiers, sockets }: Node): number {
  const links = [device.hostLink, sockets?.link ?? null, ...tiers.map(({ read }) => read)].filter(
    (link) => link !== null,
  );
  return links.reduce((least, { efficiency }) => Math.min(least, efficiency), 1);
}
