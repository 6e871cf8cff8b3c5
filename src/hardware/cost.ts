import { type MathFormat, type StorageFormat, storageFormats } from "../core/dtype.ts";
import { refuse } from "../core/errors.ts";
import { pow } from "../core/pow.ts";
import type { Device, Link, MemoryTier, Node } from "./device.ts";
import { supportedMath } from "./math-format.ts";
import type { AttentionOp, CollectiveOp, CopyOp, GemmOp, GroupedGemmOp, Op } from "./op.ts";

const nsPerSecond = 1e9;
/** Activations enter and leave products as 16-bit values, whatever the arithmetic. */
const activationBytes = 2;

const bytesPerValue = {
  fp32: storageFormats.fp32.bitsPerValue / 8,
  fp16: storageFormats.fp16.bitsPerValue / 8,
  bf16: storageFormats.bf16.bitsPerValue / 8,
  fp8: storageFormats.fp8.bitsPerValue / 8,
  fp8_block: storageFormats.fp8_block.bitsPerValue / 8,
  int8: storageFormats.int8.bitsPerValue / 8,
  int4: storageFormats.int4.bitsPerValue / 8,
  int4_g32: storageFormats.int4_g32.bitsPerValue / 8,
  mxfp4: storageFormats.mxfp4.bitsPerValue / 8,
  nvfp4: storageFormats.nvfp4.bitsPerValue / 8,
} as const satisfies Record<StorageFormat, number>;

/** Time of `bytes` over a link that nothing else uses, ns: latency + bytes / (bandwidth x efficiency). No bytes, no time. */
export function transferNs(link: Link, bytes: number): number {
  return bytes > 0 ? link.latencyNs + (bytes * nsPerSecond) / (link.bytesPerSecond * link.efficiency) : 0;
}

type NsPerFlop = Readonly<Record<MathFormat, number>>;

/**
 * Time of one operation on one device, by roofline: memory time and compute time combined by a p-norm, so that both
 * limits count near the ridge and the slower one alone decides far from it. Times are float ns >= 0; nothing is rounded
 * or allocated, because the engine asks for millions of times. All rates are computed once, here.
 */
export class CostModel {
  readonly device: Device;
  readonly node: Node;
  readonly #norm: number;
  readonly #halfTokens: number;
  readonly #gemmNsPerFlop: NsPerFlop;
  readonly #groupedNsPerFlop: NsPerFlop;
  readonly #prefillNsPerFlop: NsPerFlop;
  readonly #decodeNsPerFlop: NsPerFlop;
  readonly #gemmNsPerByte: number;
  readonly #groupedNsPerByte: number;
  readonly #attentionNsPerByte: number;
  readonly #elementwiseNsPerByte: number;
  /** Link between devices of one node or rack domain: the scale-up link, or the host link that the devices share. */
  readonly #near: Link | null;
  readonly #nearIsShared: boolean;
  readonly #roots: number;
  readonly #nodesPerDomain: number;
  readonly #disk: Link | null;

  constructor(device: Device, node: Node) {
    const { efficiency } = device;
    this.device = device;
    this.node = node;
    this.#norm = efficiency.rooflineNorm;
    this.#halfTokens = efficiency.gemmHalfTokens;
    this.#gemmNsPerFlop = nsPerFlop(device, efficiency.gemmCompute);
    this.#groupedNsPerFlop = nsPerFlop(device, efficiency.groupedGemmCompute);
    this.#prefillNsPerFlop = nsPerFlop(device, efficiency.attentionPrefillCompute);
    this.#decodeNsPerFlop = nsPerFlop(device, efficiency.attentionDecodeCompute);
    const nsPerByte = (share: number) => nsPerSecond / (device.memoryBytesPerSecond * share);
    this.#gemmNsPerByte = nsPerByte(efficiency.gemmMemory);
    this.#groupedNsPerByte = nsPerByte(efficiency.groupedGemmMemory);
    this.#attentionNsPerByte = nsPerByte(efficiency.attentionDecodeMemory);
    this.#elementwiseNsPerByte = nsPerByte(efficiency.elementwiseMemory);
    this.#near = device.scaleUp ?? device.hostLink;
    this.#nearIsShared = device.scaleUp === null;
    this.#roots = node.hostRoots ?? 1;
    this.#nodesPerDomain = device.scaleUp === null ? 1 : Math.max(1, device.scaleUpDomain / node.devicesPerNode);
    this.#disk = node.tiers.find((tier: MemoryTier) => tier.kind === "nvme")?.read ?? null;
  }

  /** Time of `op`, ns. */
  opNs(op: Op): number {
    switch (op.kind) {
      case "gemm":
        return this.#gemmNs(op);
      case "groupedGemm":
        return this.#groupedGemmNs(op);
      case "attentionPrefill":
        return this.#attentionNs(op, this.#prefillNsPerFlop);
      case "attentionDecode":
        return this.#attentionNs(op, this.#decodeNsPerFlop);
      case "allReduce":
      case "allGather":
      case "reduceScatter":
        return this.#ringNs(op);
      case "allToAll":
        return this.#allToAllNs(op);
      case "copy":
        return this.#copyNs(op);
      case "elementwise":
        return op.bytes > 0 ? op.bytes * this.#elementwiseNsPerByte : 0;
    }
  }

  #gemmNs(op: GemmOp): number {
    const weights = op.inputWidth * op.outputWidth;
    if (!(op.tokens > 0 && weights > 0)) return 0;
    const bytes =
      weights * bytesPerValue[op.weightFormat] + activationBytes * op.tokens * (op.inputWidth + op.outputWidth);
    // tokens / (tokens + half) of the peak, written without the division.
    const flops = 2 * weights * (op.tokens + this.#halfTokens);
    return this.#roofline(bytes * this.#gemmNsPerByte, flops * this.#gemmNsPerFlop[op.math]);
  }

  #groupedGemmNs(op: GroupedGemmOp): number {
    if (!(op.pairs > 0 && op.parametersPerExpert > 0)) return 0;
    const weightBytes = op.distinctExperts * op.parametersPerExpert * bytesPerValue[op.weightFormat];
    const bytes = weightBytes + activationBytes * op.pairs * op.valuesPerPair;
    // The ramp acts on the tokens of one expert, pairs / distinctExperts.
    const flops = 2 * op.parametersPerExpert * (op.pairs + this.#halfTokens * op.distinctExperts);
    return this.#roofline(bytes * this.#groupedNsPerByte, flops * this.#groupedNsPerFlop[op.math]);
  }

  #attentionNs(op: AttentionOp, nsPerFlopOf: NsPerFlop): number {
    const bytes = op.cacheTokens * op.cacheBytesPerToken;
    const flops = 2 * op.scorePairs * op.heads * op.widthPerPair;
    return this.#roofline(bytes * this.#attentionNsPerByte, flops * nsPerFlopOf[op.math]);
  }

  /**
   * Ring (bandwidth-optimal) collectives: every rank moves (n-1)/n of the buffer, an all-reduce twice. Across nodes the
   * hierarchical form: inside the node first, then each rank its share of the node's buffer over the scale-out link.
   */
  #ringNs(op: CollectiveOp): number {
    if (!(op.ranks > 1 && op.bytes > 0)) return 0;
    const near = this.#nearRanks(op);
    const passes = op.kind === "allReduce" ? 2 : 1;
    const { allReduceBandwidth, allReduceLatencyNs, collectiveLatencyNs } = this.device.efficiency;
    const latencyNs = op.kind === "allReduce" ? (allReduceLatencyNs ?? collectiveLatencyNs) : collectiveLatencyNs;
    let ns = 0;
    if (near > 1) ns += latencyNs + this.#nearNs((passes * op.bytes * (near - 1)) / near, near, allReduceBandwidth);
    if (op.ranks > near) {
      const groups = Math.ceil(op.ranks / near);
      ns += this.#farNs((passes * (op.bytes / near) * (groups - 1)) / groups, op);
    }
    return ns;
  }

  /** Direct exchange: the bytes a rank sends spread evenly over its peers, those near and those on other nodes. */
  #allToAllNs(op: CollectiveOp): number {
    if (!(op.ranks > 1 && op.bytes > 0)) return 0;
    const near = this.#nearRanks(op);
    const nearShare = (near - 1) / (op.ranks - 1);
    const { allToAllBandwidth, collectiveLatencyNs } = this.device.efficiency;
    let ns = 0;
    if (near > 1) ns += collectiveLatencyNs + this.#nearNs(op.bytes * nearShare, near, allToAllBandwidth);
    if (op.ranks > near) ns += this.#farNs(op.bytes * (1 - nearShare), op);
    return ns;
  }

  /** Ranks of the group that share a scale-up domain: those of one node, or of all nodes of the rack domain. */
  #nearRanks(op: CollectiveOp): number {
    return Math.min(op.ranks, Math.max(1, op.ranksPerNode * this.#nodesPerDomain));
  }

  #nearNs(bytes: number, ranks: number, share: number): number {
    const link = this.#near ?? missing("a link between devices", this.device);
    const sharers = this.#nearIsShared ? Math.max(1, ranks / this.#roots) : 1;
    return (bytes * sharers * nsPerSecond) / (link.bytesPerSecond * share);
  }

  #farNs(bytes: number, op: CollectiveOp): number {
    const link =
      this.device.scaleOut ??
      missing(`a scale-out link for ${op.ranks} ranks, ${op.ranksPerNode} in a node`, this.device);
    return (
      this.device.efficiency.collectiveLatencyNsScaleOut +
      (bytes * nsPerSecond) / (link.bytesPerSecond * link.efficiency)
    );
  }

  #copyNs(op: CopyOp): number {
    const { device } = this;
    switch (op.link) {
      case "hostToDevice":
      case "deviceToHost":
        // Unified memory: the device reads in place.
        return device.hostLink === null ? 0 : transferNs(device.hostLink, op.bytes);
      case "disk":
        return transferNs(this.#disk ?? missing("an NVMe tier", device), op.bytes);
      case "scaleUp":
        return transferNs(this.#near ?? missing("a link between devices", device), op.bytes);
      case "scaleOut":
        return transferNs(device.scaleOut ?? missing("a scale-out link", device), op.bytes);
    }
  }

  /** (memory^p + compute^p)^(1/p). */
  #roofline(memoryNs: number, computeNs: number): number {
    const longer = Math.max(memoryNs, computeNs);
    if (longer === 0 || this.#norm === Number.POSITIVE_INFINITY) return longer;
    const ratio = Math.min(memoryNs, computeNs) / longer;
    if (this.#norm === 3) return longer * Math.cbrt(1 + ratio * ratio * ratio);
    return longer * pow(1 + pow(ratio, this.#norm), 1 / this.#norm);
  }
}

function nsPerFlop(device: Device, share: number): NsPerFlop {
  const of = (math: MathFormat): number => {
    const format = supportedMath(device, math);
    const peak = device.peak[format] ?? missing("a bf16 peak", device);
    return nsPerSecond / (peak * share * (device.efficiency.formatCompute?.[format] ?? 1));
  };
  return { bf16: of("bf16"), fp8: of("fp8"), int8: of("int8"), fp4: of("fp4") };
}

function missing(what: string, device: Device): never {
  refuse({ at: `hardware.${device.id}`, expected: what, found: "none" });
}
