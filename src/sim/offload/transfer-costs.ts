import { transferNs } from "../../hardware/link-transfer.ts";
import type { OffloadConfig, PoolConfig } from "../config.ts";
import type { TierRead } from "../store/host-store.ts";
import type { PageCopy } from "../store/page-cache.ts";
import type { FetchCost } from "./fetch-cost.ts";
import type { HostNode } from "./host-node.ts";
import { memoryTiers } from "./offload-tiers.ts";

/**
 * Rate at which one processor thread copies pageable memory into the driver's page-locked buffer. From pageable and pinned
 * copies of three hosts, with the copy and the transfer one after the other: 1 / (1 / pageable - 1 / pinned).
 * V100 on PCIe 3, 5.5 and 11.5 GB/s: 10.5 (rapidsai/dask-cuda, pull request 98). RTX 5090 on PCIe 5, 9.6 and 32.4: 13.6
 * (kekzl/imp, pull request 1409). H100 on PCIe 5, 8 and 47: 9.6 (rapidsai/kvikio, issue 456). Their median.
 */
export const stagingBytesPerSecond = 10.5e9;

/**
 * Transfer of an expert slice of `bytes` over a device's host link. Out of pageable memory the link is held while the
 * driver copies the slice. What that reads and writes in memory beside the slice is not counted.
 */
export function fetchCost({ node, mapping }: PoolConfig, { pinned }: OffloadConfig, bytes: number): FetchCost {
  const { hostLink } = node.device;
  return {
    bytes,
    linkNs: hostLink === null ? 0 : transferNs(hostLink, bytes),
    latencyNs: hostLink?.latencyNs ?? 0,
    stagingNs: pinned ? 0 : (bytes * 1e9) / stagingBytesPerSecond,
    uplinkNs: hostLink === null ? 0 : transferNs(hostLink, bytes) - hostLink.latencyNs,
    memoryBytes: memoryTiers(node.tiers) === 0 ? 0 : bytes * Math.min(mapping.etp, node.devicesPerNode),
  };
}

/**
 * [tiers] what an expert of slices of `bytes` takes of each. From memory every device of the node reads its slice; devices
 * of an expert rank on other nodes read the memory there. A disk is read whole.
 */
export function tierReads({ node, mapping }: PoolConfig, bytes: number): TierRead[] {
  const disks = memoryTiers(node.tiers);
  return node.tiers.map(({ read }, tier) => {
    if (tier >= disks) {
      const whole = bytes * mapping.etp;
      return { ns: transferNs(read, whole), latencyNs: 0, bytes: whole };
    }
    const slices = bytes * Math.min(mapping.etp, node.devicesPerNode);
    return { ns: transferNs(read, slices) - read.latencyNs, latencyNs: read.latencyNs, bytes: slices };
  });
}

/**
 * Copying an expert of slices of `bytes` out of the page cache, by one thread: read and written at the rate of the memory that
 * holds both, the first of a node's tiers or the device's own.
 */
export function pageCopy({ node, mapping, offload }: PoolConfig, at: HostNode, bytes: number): PageCopy {
  const { device, tiers } = node;
  const copied = bytes * mapping.etp;
  const unified = {
    name: `${device.name} memory`,
    bytesPerSecond: device.memoryBytesPerSecond,
    latencyNs: 0,
    efficiency: device.efficiency.elementwiseMemory,
  };
  const behind = memoryTiers(tiers) > 0;
  const read = behind ? tiers[0]!.read : unified;
  const { latencyNs } = read;
  return {
    memory: behind ? at.tiers[0]! : at.unified,
    memoryNs: transferNs(read, 2 * copied) - latencyNs,
    latencyNs,
    bytes: 2 * copied,
    threadNs: (copied * 1e9) / (offload?.pageCopyBytesPerSecond ?? stagingBytesPerSecond),
  };
}
