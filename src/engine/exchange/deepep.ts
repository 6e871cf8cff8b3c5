import type { Problem } from "../../core/errors.ts";
import type { ExchangeOptions, ExchangeSite } from "./exchange-options.ts";

/** Devices that DeepEP joins by NVLink: NUM_MAX_NVL_PEERS of csrc/kernels/configs.cuh. */
const nodeRanks = 8;
/** Nodes that its normal mode reaches: NUM_MAX_RDMA_PEERS. */
const normalNodes = 20;
const ampere = 8;
const hopper = 9;

/** Modes of DeepEP that a deployment runs. */
export interface DeepEpModes {
  readonly normal: boolean;
  readonly lowLatency: boolean;
}

/**
 * What DeepEP lacks on the devices of a deployment, the first of it (deepseek-ai/DeepEP: requirements of the README,
 * setup.py, asserts of csrc/deep_ep.cpp, SWITCH_RANKS of csrc/kernels/launch.cuh): NVLink inside a node; on Ampere the
 * normal mode inside one node alone; 2, 4 or 8 devices, or whole nodes of eight.
 */
export function beyondDeepEp(
  at: keyof ExchangeOptions,
  found: string,
  modes: DeepEpModes,
  site: ExchangeSite,
): Problem[] {
  const lacks = lackOf(modes, site);
  return lacks === null ? [] : [{ at, expected: `another one: DeepEP ${lacks}`, found }];
}

function lackOf({ normal, lowLatency }: DeepEpModes, site: ExchangeSite): string | null {
  const { ranks, nvlinkDomain, deviceName, computeCapability } = site;
  const joined = Math.min(ranks, nodeRanks);
  if (joined > nvlinkDomain) {
    const has = nvlinkDomain === 1 ? "has none" : `has it between ${nvlinkDomain}`;
    return `needs NVLink between the ${joined} devices of a node, ${deviceName} ${has}`;
  }
  if (computeCapability !== null && computeCapability < ampere)
    return `runs on compute capability 8.0 and later, ${deviceName} has ${computeCapability.toFixed(1)}`;
  if (computeCapability !== null && computeCapability < hopper && (lowLatency || ranks > nodeRanks))
    return `runs on Ampere in its normal mode inside a node only, ${deviceName} has compute capability ${computeCapability.toFixed(1)}`;
  if (ranks > nodeRanks && ranks % nodeRanks !== 0)
    return `runs on up to 8 devices or on whole nodes of 8, here ${ranks} devices`;
  if (normal && ranks < nodeRanks && ranks !== 2 && ranks !== 4)
    return `runs on 2, 4 or 8 devices of a node in its normal mode, here ${ranks}`;
  if (normal && ranks > normalNodes * nodeRanks)
    return `runs on up to ${normalNodes * nodeRanks} devices in its normal mode, here ${ranks}`;
  return null;
}
