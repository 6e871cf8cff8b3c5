import { InvariantError } from "../../core/errors.ts";
import { weightValueBytes } from "../../hardware/cost/context.ts";
import { CostModel } from "../../hardware/cost.ts";
import type { Device, Node } from "../../hardware/device.ts";
import { hostDevice } from "../../hardware/host-processors.ts";
import { transferNs } from "../../hardware/link-transfer.ts";
import type { GemmOp } from "../../hardware/op.ts";
import { matrixBytes } from "../../models/bytes.ts";
import { scoreValues } from "../../models/score-values.ts";
import type { Attention } from "../../models/spec.ts";
import type { HostWork, PoolConfig } from "../config.ts";
import { stagingBytesPerSecond } from "../offload/transfer-costs.ts";
import type { AttentionProgram } from "./attention-parts.ts";
import type { RankBatch } from "./batch.ts";
import { attentionPrograms, type LayerPrograms, layerPrograms } from "./layer-programs.ts";
import { ServedKernels } from "./served-kernels.ts";
import { layerClasses } from "./stage-plan.ts";

/** Bytes of a value that ggml sends between device and host: products are in float32. */
const sentBytes = 4;

/**
 * Layers and caches that the host computes, in one step. Their products are the host's, or from a number of tokens on the
 * device's, which copies their weights first. Scores stay where the cache is: in host memory. What is in two places hands over
 * once there and once back, one after the other.
 */
export class HostWorkTime {
  readonly work: HostWork;
  /** Kernels of the host, and what its layers run. */
  readonly served: ServedKernels;
  readonly programs: LayerPrograms;
  /** Whether the device computes products of the host's layers in this step. */
  productsOnDevice = false;
  private readonly config: PoolConfig;
  private readonly device: ServedKernels;
  private readonly deviceAttention: readonly AttentionProgram[];
  private readonly attention: readonly AttentionProgram[];
  private readonly classes: readonly Attention[];
  private readonly handoverNs: number;
  /** [attention classes] times in this step: in the host's layers, and in the device's. */
  private readonly hostLayerNs: Float64Array;
  private readonly deviceLayerNs: Float64Array;

  constructor(
    config: PoolConfig,
    work: HostWork,
    device: ServedKernels,
    deviceAttention: readonly AttentionProgram[],
    windows: Float64Array,
  ) {
    this.config = config;
    this.work = work;
    this.device = device;
    this.deviceAttention = deviceAttention;
    const processors = processorsOf(config.node);
    const onHost: PoolConfig = { ...config, node: { ...config.node, device: processors } };
    this.served = new ServedKernels(new CostModel(processors, config.node, config.engine.id));
    this.programs = layerPrograms(onHost);
    this.attention = attentionPrograms(onHost, this.served, windows);
    this.classes = layerClasses(config.model).attention;
    this.handoverNs = config.engine.offload?.hostCallNs ?? 0;
    this.hostLayerNs = new Float64Array(this.classes.length);
    this.deviceLayerNs = new Float64Array(this.classes.length);
  }

  /** Whether layer `layer` is the host's. */
  has(layer: number): boolean {
    return layer < this.work.layers;
  }

  /** Times a step of one rank. */
  prepare(batch: RankBatch): void {
    const { work, attention, deviceAttention, classes } = this;
    this.productsOnDevice = work.deviceFrom !== null && batch.tokens >= work.deviceFrom;
    for (const [a, program] of attention.entries()) {
      const scoresNs = program.ns(batch) - program.productsNs(batch);
      const acrossNs =
        deviceAttention[a]!.productsNs(batch) +
        scoresNs +
        this.handoverNs +
        this.scoresWayNs(classes[a]!, batch.tokens);
      this.deviceLayerNs[a] = classes[a]!.kind === "none" ? 0 : acrossNs;
      this.hostLayerNs[a] =
        this.productsOnDevice && classes[a]!.kind !== "none"
          ? acrossNs + this.copyNs(matrixBytes(this.config, "attention", program.weightValues))
          : program.ns(batch);
    }
  }

  /** Token mixing of a class in a layer, ns; null where it is the device's alone. */
  mixingNs(mixing: number, layer: number): number | null {
    if (this.has(layer)) return this.hostLayerNs[mixing]!;
    return this.work.allCaches ? this.deviceLayerNs[mixing]! : null;
  }

  /** A product of a layer of the host: `onDevice` is the same as the device has it. */
  gemmNs(onHost: GemmOp, onDevice: GemmOp, tokens: number): number {
    if (tokens === 0) return 0;
    const { deviceFrom } = this.work;
    if (deviceFrom === null || tokens < deviceFrom) return this.served.gemmNs(onHost, tokens);
    const bytes = onHost.inputWidth * onHost.outputWidth * weightValueBytes(onHost);
    return this.device.gemmNs(onDevice, tokens) + this.copyNs(bytes);
  }

  /** The hidden states go on from the host's last layer to the device, ns. */
  boundaryNs(tokens: number): number {
    return this.handoverNs + this.wayNs(tokens * this.config.model.hiddenSize * sentBytes);
  }

  /** Queries, keys and values to the host and what attention gives of them back, ns. */
  private scoresWayNs(attention: Attention, tokens: number): number {
    const [there, back] = scoreValues(attention);
    return this.wayNs(tokens * there * sentBytes) + this.wayNs(tokens * back * sentBytes);
  }

  private wayNs(bytes: number): number {
    const { hostLink } = this.config.node.device;
    return hostLink === null ? 0 : transferNs(hostLink, bytes);
  }

  /** Weights of the host's layers to the device, ns. */
  private copyNs(bytes: number): number {
    const staging = this.config.offload?.pinned === false ? (bytes * 1e9) / stagingBytesPerSecond : 0;
    return this.wayNs(bytes) + staging;
  }
}

/** The processors of a host as one device. Attention and norms reach no more of the memory than products do. */
function processorsOf(node: Node): Device {
  const processors = hostDevice(node);
  if (processors === null)
    throw new InvariantError("host-work-needs", "layers on the host of a node without processors or memory");
  const { efficiency } = processors;
  const most = (share: number): number => Math.min(share, efficiency.gemmMemory);
  return {
    ...processors,
    efficiency: {
      ...efficiency,
      attentionDecodeMemory: most(efficiency.attentionDecodeMemory),
      elementwiseMemory: most(efficiency.elementwiseMemory),
    },
  };
}
