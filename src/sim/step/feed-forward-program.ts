import type { StorageFormat } from "../../core/dtype.ts";
import type { Device } from "../../hardware/device.ts";
import { mathFor } from "../../hardware/math-format.ts";
import type { GemmOp, GroupedGemmOp } from "../../hardware/op.ts";
import { routableExperts } from "../../models/expert-choices.ts";
import type { FeedForward, MoeFeedForward } from "../../models/spec.ts";
import type { PoolConfig } from "../config.ts";
import { RecentTimes } from "./recent-times.ts";
import { expertValues } from "./stage-plan.ts";

/** Feed-forward of one layer class as operations to refill. */
export type FeedForwardProgram =
  | { readonly kind: "none" }
  | { readonly kind: "dense"; readonly up: GemmOp; readonly down: GemmOp }
  | {
      readonly kind: "moe";
      readonly moe: MoeFeedForward;
      readonly router: GemmOp;
      readonly experts: GroupedGemmOp;
      /** Times of its experts that come again: those of one kernel together, and of one expert alone. */
      readonly recent: { readonly together: RecentTimes; readonly alone: RecentTimes };
      /** Shared experts and a dense network of the layer: every token passes them beside its routed experts. */
      readonly shared: readonly GemmOp[];
      readonly latent: readonly [GemmOp, GemmOp] | null;
    };

/**
 * Format of the activations that weights are multiplied with: 8-bit for 8-bit weights, 16-bit for 4-bit integer
 * weights. MXFP4 weights take MXFP8 activations and NVFP4 weights NVFP4 ones where the device multiplies block-scaled
 * formats itself, else 16-bit ones.
 */
export function activationsFor(weights: StorageFormat, device: Pick<Device, "peak">): StorageFormat {
  switch (weights) {
    case "mxfp4":
      return device.peak.fp4 === undefined ? "bf16" : "fp8";
    case "fp8":
    case "fp8_block":
      return "fp8";
    case "int8":
      return "int8";
    case "nvfp4":
      return device.peak.fp4 === undefined ? "bf16" : "nvfp4";
    case "int4":
    case "int4_g32":
    case "fp32":
    case "fp16":
    case "bf16":
      return "bf16";
  }
}

/** Operations of a feed-forward class under the mapping. tp splits dense and shared parts, etp the experts. */
export function feedForwardProgram(spec: FeedForward, config: PoolConfig): FeedForwardProgram {
  const { model, mapping, formats, node } = config;
  const hidden = model.hiddenSize;
  const gemm = (inputWidth: number, outputWidth: number, weightFormat: StorageFormat): GemmOp => ({
    kind: "gemm",
    tokens: 0,
    inputWidth,
    outputWidth,
    weightFormat,
    math: mathFor(node.device, weightFormat, activationsFor(weightFormat, node.device)),
  });
  const mlp = (width: number, matrices: number, format: StorageFormat): readonly [GemmOp, GemmOp] => [
    gemm(hidden, (width / mapping.tp) * (matrices - 1), format),
    gemm(width / mapping.tp, hidden, format),
  ];
  if (spec.kind === "none") return { kind: "none" };
  if (spec.kind === "dense") {
    const [up, down] = mlp(spec.width, spec.matrices, formats.dense);
    return { kind: "dense", up, down };
  }
  return {
    kind: "moe",
    moe: spec,
    recent: { together: new RecentTimes(), alone: new RecentTimes() },
    router: gemm(hidden, routableExperts(spec), formats.router),
    experts: {
      kind: "groupedGemm",
      pairs: 0,
      distinctExperts: 0,
      presentedPairs: 0,
      parametersPerExpert: expertValues(spec) / mapping.etp,
      shardWidth: spec.expertWidth / mapping.etp,
      valuesPerPair: 2 * spec.expertHidden + (spec.matrices * spec.expertWidth) / mapping.etp,
      weightFormat: formats.experts,
      math: mathFor(node.device, formats.experts, activationsFor(formats.experts, node.device)),
    },
    shared: [
      ...(spec.sharedWidth === 0 ? [] : mlp(spec.sharedWidth, spec.matrices, formats.shared)),
      ...(spec.denseWidth === 0 ? [] : mlp(spec.denseWidth, spec.matrices, formats.dense)),
    ],
    latent:
      spec.expertHidden === hidden
        ? null
        : [gemm(hidden, spec.expertHidden, formats.shared), gemm(spec.expertHidden, hidden, formats.shared)],
  };
}
