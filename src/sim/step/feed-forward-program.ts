import { activationsFor, mathFor } from "../../hardware/math-format.ts";
import type { GemmOp, GroupedGemmOp } from "../../hardware/op.ts";
import { ownBytes } from "../../models/bytes.ts";
import { routableExperts } from "../../models/expert-choices.ts";
import type { FeedForward, MoeFeedForward, TensorClass } from "../../models/spec.ts";
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

/** Operations of a feed-forward class under the mapping. tp splits dense and shared parts, etp the experts. */
export function feedForwardProgram(spec: FeedForward, config: PoolConfig): FeedForwardProgram {
  const { model, mapping, formats, node } = config;
  const hidden = model.hiddenSize;
  const gemm = (inputWidth: number, outputWidth: number, tensors: TensorClass): GemmOp => ({
    kind: "gemm",
    tokens: 0,
    inputWidth,
    outputWidth,
    weightFormat: formats[tensors],
    ...ownBytes(config, tensors),
    math: mathFor(node.device, formats[tensors], activationsFor(formats[tensors], node.device)),
  });
  const mlp = (width: number, matrices: number, tensors: TensorClass): readonly [GemmOp, GemmOp] => [
    gemm(hidden, (width / mapping.tp) * (matrices - 1), tensors),
    gemm(width / mapping.tp, hidden, tensors),
  ];
  if (spec.kind === "none") return { kind: "none" };
  if (spec.kind === "dense") {
    const [up, down] = mlp(spec.width, spec.matrices, "dense");
    return { kind: "dense", up, down };
  }
  return {
    kind: "moe",
    moe: spec,
    recent: { together: new RecentTimes(), alone: new RecentTimes() },
    router: gemm(hidden, routableExperts(spec), "router"),
    experts: {
      kind: "groupedGemm",
      pairs: 0,
      distinctExperts: 0,
      presentedPairs: 0,
      parametersPerExpert: expertValues(spec) / mapping.etp,
      shardWidth: spec.expertWidth / mapping.etp,
      valuesPerPair: 2 * spec.expertHidden + (spec.matrices * spec.expertWidth) / mapping.etp,
      weightFormat: formats.experts,
      ...(spec.expertBits === undefined ? ownBytes(config, "experts") : { bytesPerWeight: spec.expertBits / 8 }),
      math: mathFor(node.device, formats.experts, activationsFor(formats.experts, node.device)),
    },
    shared: [
      ...(spec.sharedWidth === 0 ? [] : mlp(spec.sharedWidth, spec.matrices, "shared")),
      ...(spec.denseWidth === 0 ? [] : mlp(spec.denseWidth, spec.matrices, "dense")),
    ],
    latent:
      spec.expertHidden === hidden
        ? null
        : [gemm(hidden, spec.expertHidden, "shared"), gemm(spec.expertHidden, hidden, "shared")],
  };
}
