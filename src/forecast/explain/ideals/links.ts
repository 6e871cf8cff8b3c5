import { devicesOf } from "../../../sim/mapping.ts";
import { hostProcessors, withDevice } from "../../knobs/device-knobs.ts";
import { type Knob, withPools } from "../../knobs/knob.ts";
import {
  diskBandwidth,
  hostLinkBandwidth,
  hostMemoryBandwidth,
  linkLatency,
  scaleOutBandwidth,
  scaleUpBandwidth,
} from "../../knobs/link-knobs.ts";
import { type Ideal, knobsAt, unlimited } from "./ideal.ts";

/** Dispatch, combine, all-reduces and hand-offs between pipeline stages take no time. */
export const freeExchange: Ideal = {
  label: "links between devices take no time",
  change: (turned) => {
    const config = withPools(
      turned.config,
      (pool) => (devicesOf(pool.mapping) === 1 ? null : { engine: { ...pool.engine, collectiveFactor: 0 } }),
      "every replica is a single device",
    );
    if (typeof config === "string") return config;
    return knobsAt(
      [scaleUpBandwidth, unlimited],
      [scaleOutBandwidth, unlimited],
      [linkLatency, 0],
    )({ ...turned, config });
  },
};

/** KV caches travel from pool to pool in no time. */
export const freeHandover: Ideal = {
  label: "hand-overs between pools take no time",
  change: (turned) =>
    turned.config.handover === undefined
      ? "no pool hands requests over to another"
      : knobsAt([scaleOutBandwidth, unlimited])(turned),
};

/** The fixed time of a transfer between host and device. */
const hostLinkLatency: Knob = {
  label: "latency from host to device",
  scaled: ({ config }, factor) =>
    withPools(
      config,
      (pool) => {
        const { device } = pool.node;
        if (device.hostLink === null || (pool.offload === null && pool.host === undefined)) return null;
        return withDevice(pool, {
          ...device,
          hostLink: { ...device.hostLink, latencyNs: device.hostLink.latencyNs * factor },
        });
      },
      "no weights pass a host link",
    ),
};

export const freeHostLink: Ideal = {
  label: "the link from host to device takes no time",
  change: (turned) => knobsAt([hostLinkBandwidth, unlimited], [hostLinkLatency, 0])(turned),
};

export const freeDisk: Ideal = {
  label: "disks are infinitely fast",
  change: (turned) => {
    const { config } = turned;
    const fast = knobsAt([diskBandwidth, unlimited])(turned);
    if (typeof fast === "string") return fast;
    return withPools(
      fast,
      ({ node }) => ({
        node: {
          ...node,
          tiers: node.tiers.map((tier) =>
            tier.kind === "nvme" ? { ...tier, read: { ...tier.read, latencyNs: 0 } } : tier,
          ),
        },
      }),
      config.model.name,
    );
  },
};

/** What the processors of the host compute, and what devices read out of its memory, takes no time. */
export const freeHost: Ideal = {
  label: "memory and processors of the host are infinitely fast",
  change: knobsAt([hostMemoryBandwidth, unlimited], [hostProcessors, unlimited]),
};
