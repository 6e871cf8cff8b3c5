import type { Device, Link } from "../../hardware/device.ts";
import { tierKinds } from "../../hardware/tier-kinds.ts";
import { type PoolConfig, poolsOf, type SimConfig } from "../../sim/config.ts";
import { devicesOf } from "../../sim/mapping.ts";
import { withDevice } from "./device-knobs.ts";
import { type Knob, withPools } from "./knob.ts";

const faster = (link: Link, factor: number): Link => ({ ...link, bytesPerSecond: link.bytesPerSecond * factor });
const later = (link: Link, factor: number): Link => ({ ...link, latencyNs: link.latencyNs * factor });

/** The pool with both links between devices changed; null where a replica is one device. */
function linked(
  pool: PoolConfig,
  which: readonly ("scaleUp" | "scaleOut")[],
  change: (link: Link) => Link,
): Partial<PoolConfig> | null {
  const { device } = pool.node;
  if (devicesOf(pool.mapping) === 1) return null;
  const links = which.flatMap((name) => (device[name] === null ? [] : [[name, change(device[name])] as const]));
  return links.length === 0 ? null : withDevice(pool, { ...device, ...Object.fromEntries(links) });
}

const alone = "every replica is a single device";

/** Whether a replica reaches over several nodes, or pools hand requests to one another. */
const crossesNodes = (config: SimConfig): boolean =>
  config.handover !== undefined ||
  poolsOf(config).some(
    ({ mapping, node }) => devicesOf(mapping) > Math.max(node.devicesPerNode, node.device.scaleUpDomain),
  );

/** Bandwidth of the links between devices of a node or rack. */
export const scaleUpBandwidth: Knob = {
  label: "bandwidth between devices of a node",
  scaled: ({ config }, factor) =>
    withPools(config, (pool) => linked(pool, ["scaleUp"], (link) => faster(link, factor)), alone),
};

/** Bandwidth of the links between nodes; hand-overs between pools pass them too. */
export const scaleOutBandwidth: Knob = {
  label: "bandwidth between nodes",
  scaled: ({ config }, factor) =>
    crossesNodes(config)
      ? withPools(
          config,
          (pool) => {
            const { device } = pool.node;
            return device.scaleOut === null
              ? null
              : withDevice(pool, { ...device, scaleOut: faster(device.scaleOut, factor) });
          },
          "no link between nodes",
        )
      : "everything stays inside one node",
};

/** Fixed time of collectives and of single messages between devices. */
export const linkLatency: Knob = {
  label: "latency between devices",
  scaled: ({ config }, factor) =>
    withPools(
      config,
      (pool) => {
        const change = linked(pool, ["scaleUp", "scaleOut"], (link) => later(link, factor));
        return change === null ? null : { node: { ...change.node!, device: withLatency(change.node!.device, factor) } };
      },
      alone,
    ),
};

function withLatency(device: Device, factor: number): Device {
  const { efficiency } = device;
  const { allReduceLatencyNs } = efficiency;
  return {
    ...device,
    efficiency: {
      ...efficiency,
      collectiveLatencyNs: efficiency.collectiveLatencyNs * factor,
      collectiveLatencyNsScaleOut: efficiency.collectiveLatencyNsScaleOut * factor,
      ...(allReduceLatencyNs === undefined ? {} : { allReduceLatencyNs: allReduceLatencyNs * factor }),
    },
  };
}

/** Rate of the link between host and device, where weights pass it. */
export const hostLinkBandwidth: Knob = {
  label: "bandwidth from host to device",
  scaled: ({ config }, factor) =>
    withPools(
      config,
      (pool) => {
        const { device } = pool.node;
        if (device.hostLink === null || !offloads(pool)) return null;
        return withDevice(pool, { ...device, hostLink: faster(device.hostLink, factor) });
      },
      "no weights pass a host link",
    ),
};

const offloads = (pool: PoolConfig): boolean => pool.offload !== null || pool.host !== undefined;

/** Rate at which tiers of an access kind are read, where experts lie behind the devices. */
const tierBandwidth = (label: string, access: "memory" | "disk", lacks: string): Knob => ({
  label,
  scaled: ({ config }, factor) =>
    withPools(
      config,
      (pool) => {
        const { node } = pool;
        const has = node.tiers.some(({ kind }) => tierKinds[kind].access === access);
        if (!offloads(pool) || !has) return null;
        const tiers = node.tiers.map((tier) =>
          tierKinds[tier.kind].access === access ? { ...tier, read: faster(tier.read, factor) } : tier,
        );
        return { node: { ...node, tiers } };
      },
      lacks,
    ),
});

export const hostMemoryBandwidth = tierBandwidth("host memory bandwidth", "memory", "no weights lie in host memory");
export const diskBandwidth = tierBandwidth("disk bandwidth", "disk", "no weights lie on a disk");
