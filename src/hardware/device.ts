import type { MathFormat } from "../core/dtype.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import type { TierKind } from "./tier-kinds.ts";

/** A point-to-point or shared link: time of a transfer = latency + bytes / (bandwidth x efficiency). Per direction. */
export interface Link {
  readonly name: string;
  readonly bytesPerSecond: number;
  readonly latencyNs: number;
  /** Share of the nominal bandwidth that large transfers reach. */
  readonly efficiency: number;
}

/** Efficiency parameters of a device: fitted or assumed shares of the physical peaks. All in (0, 1] unless noted. */
export interface Efficiency {
  /** Large dense products, share of peak FLOP/s. */
  readonly gemmCompute: number;
  /** Weight streaming of dense products, share of memory bandwidth. */
  readonly gemmMemory: number;
  readonly groupedGemmCompute: number;
  readonly groupedGemmMemory: number;
  /**
   * Further share of the peak per arithmetic, for all products; 1 where absent. Narrow formats stay further below their
   * peak than bf16.
   */
  readonly formatCompute?: Readonly<Partial<Record<MathFormat, number>>>;
  readonly attentionPrefillCompute: number;
  readonly attentionDecodeMemory: number;
  readonly attentionDecodeCompute: number;
  /** Sparse latent attention over prompts, share of peak; `attentionPrefillCompute` where absent. */
  readonly sparseLatentCompute?: number;
  /** Query heads that fill a tile of its kernel: fewer heads on a rank are padded to them; 1 where absent. */
  readonly sparseLatentHeads?: number;
  /** Rate at which its queries gather cache entries, mostly from the last-level cache; no limit of its own where absent. */
  readonly sparseGatherBytesPerSecond?: number;
  /** Scores of an indexer, share of the fp8 peak, selection included; `attentionPrefillCompute` where absent. */
  readonly indexScoresCompute?: number;
  /** Linear attention over prompts in chunks, share of peak; `attentionPrefillCompute` where absent. */
  readonly linearScanCompute?: number;
  /** From one chunk to the next of a sequence, ns, however few heads there are; 0 where absent. >= 0. */
  readonly linearScanStepNs?: number;
  /** Recurrent states of fewer than 32 bits a value, share of memory bandwidth; `elementwiseMemory` where absent. */
  readonly narrowStateMemory?: number;
  readonly elementwiseMemory: number;
  /** Height of the tallest tile of dense and grouped products, rows. Kernels take lower tiles for fewer rows. >= 0. */
  readonly tileRows: number;
  /** Fixed time of a dense product, of the routed experts of a layer and of attention: launch, filling, draining; ns. */
  readonly gemmLaunchNs: number;
  readonly groupedGemmLaunchNs: number;
  readonly attentionLaunchNs: number;
  /** Work of the vector units to widen one weight to the format that is multiplied, FLOPs. >= 0. */
  readonly dequantiseFlops: number;
  /** Exponent p of (memory^p + compute^p)^(1/p); large p is the plain maximum. >= 1. */
  readonly rooflineNorm: number;
  /** Share of the link bandwidth that collectives reach. */
  readonly allReduceBandwidth: number;
  readonly allToAllBandwidth: number;
  /** Fixed time of a collective inside a node and across nodes, ns. */
  readonly collectiveLatencyNs: number;
  /** Fixed time of an all-reduce inside a node by one-shot kernels, ns; `collectiveLatencyNs` where absent. */
  readonly allReduceLatencyNs?: number;
  readonly collectiveLatencyNsScaleOut: number;
}

/** A device as the simulator sees it: plain numbers, resolved from a profile. */
export interface Device {
  readonly id: string;
  readonly name: string;
  readonly kind: "gpu" | "npu" | "rdu" | "cpu";
  /** Software that engines are built for on it, such as `rocm`; absent where they are the ones of the plain profiles. */
  readonly platform?: string;
  /** Peak dense FLOP/s (or OP/s for int8) per arithmetic; absent where the device lacks it. */
  readonly peak: Readonly<Partial<Record<MathFormat, number>>>;
  /** FP32 rate of the vector units; absent where it is not known: widening weights then takes no time. */
  readonly vectorFlopsPerSecond?: number;
  /** Boost clock of the processors: launching and filling take cycles. Absent where it is not stated. */
  readonly clockHz?: number;
  /** Cores of a processor; absent where they are not stated. */
  readonly cores?: number;
  /** Most that one core reads, bytes per second; absent: as much as the memory gives. */
  readonly coreBytesPerSecond?: number;
  /** Memory that a process finds; engines take a share of it. */
  readonly memoryBytes: number;
  readonly memoryBytesPerSecond: number;
  /** Highest rate at which a kernel was seen to read the memory; absent where none was measured. */
  readonly achievedBytesPerSecond?: number;
  /** From device to device inside a node or rack domain; null where devices meet only through the host. */
  readonly scaleUp: Link | null;
  /** Devices in one scale-up domain. */
  readonly scaleUpDomain: number;
  readonly scaleOut: Link | null;
  /** Host to device; null on unified memory. */
  readonly hostLink: Link | null;
  readonly powerW: number | null;
  readonly idlePowerW: number | null;
  readonly usdPerHour: number | null;
  readonly efficiency: Efficiency;
  /** Maps of measured kernels. An operation without a map keeps the shares of `efficiency`. */
  readonly kernels?: KernelMaps;
  /** Kernels of engines as measured on this very device, by id of the engine. */
  readonly served?: Readonly<Record<string, ServedKernels>>;
}

/** Kernels of an engine as they run on one device. They replace what its profile says of all devices. */
export interface ServedKernels {
  /** In place of the engine's `kernelExcess` and `prefillExcess`. */
  readonly kernelExcess?: number;
  /** See `EngineProfile.mixedDecodeRows`. */
  readonly mixedDecodeRows?: number;
}

/** A memory tier or disk behind the device. */
export interface MemoryTier {
  readonly id: string;
  readonly kind: TierKind;
  readonly bytes: number;
  /** Reading from the tier alone. The way from there to the device comes on top. */
  readonly read: Link;
}

/** Processors of a host, each with an equal part of the first memory tier. Devices belong to them in blocks. */
export interface Sockets {
  readonly count: number;
  /** From one to another, in each direction. */
  readonly link: Link;
}

/** The processors of a host. They read the first memory tier of the node, whatever memory their profile states. */
export interface HostProcessors {
  readonly device: Device;
  readonly count: number;
}

/** A host and the devices in it. */
export interface Node {
  readonly device: Device;
  readonly devicesPerNode: number;
  /** Root complexes of the host; 1 if absent. Devices without a scale-up link share their host links through them. */
  readonly hostRoots?: number;
  /** Devices that have one link to the host in common, as behind a PCIe switch; 1 if absent. */
  readonly hostLinkDevices?: number;
  /** Absent: one. */
  readonly sockets?: Sockets;
  /** Processors that can compute experts in host memory, one to a socket; absent where they are not known. */
  readonly host?: HostProcessors;
  /** Tiers by distance, nearest first. */
  readonly tiers: readonly MemoryTier[];
}
