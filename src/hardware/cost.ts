import { attentionCost } from "./cost/attention.ts";
import { allToAllCost, ringCost } from "./cost/collective.ts";
import type { CostContext, OpCost, OwnKernels } from "./cost/context.ts";
import { copyCost } from "./cost/copy.ts";
import { elementwiseCost } from "./cost/elementwise.ts";
import { exchangeCost } from "./cost/exchange.ts";
import { arithmeticCost, floorCost } from "./cost/floor.ts";
import { gemmCost } from "./cost/gemm.ts";
import { groupedGemmCost } from "./cost/grouped-gemm.ts";
import { indexScoresCost } from "./cost/index-scores.ts";
import { linearScanCost } from "./cost/linear-scan.ts";
import { sparseLatentCost } from "./cost/sparse-latent.ts";
import { stateUpdateCost } from "./cost/state-update.ts";
import type { Device, Node } from "./device.ts";
import type {
  AttentionOp,
  CollectiveOp,
  CopyOp,
  ElementwiseOp,
  ExchangeOp,
  GemmOp,
  GroupedGemmOp,
  IndexScoresOp,
  LinearScanOp,
  Op,
  SparseLatentOp,
  StateUpdateOp,
} from "./op.ts";

/**
 * Time of one operation on one device. A map of measured kernels decides where the device has one for the operation.
 * Otherwise a roofline does: memory time and compute time, each at its efficiency, are combined by a p-norm. Near the
 * ridge both limits count; far from it the slower one alone decides. Times are float ns >= 0; nothing is rounded or
 * allocated, because the simulator asks for millions of times. All rates are computed once, here.
 */
export class CostModel {
  readonly device: Device;
  readonly node: Node;
  readonly #gemm: OpCost<GemmOp>;
  readonly #groupedGemm: OpCost<GroupedGemmOp>;
  readonly #attention: OpCost<AttentionOp>;
  readonly #sparseLatent: OpCost<SparseLatentOp>;
  readonly #indexScores: OpCost<IndexScoresOp>;
  readonly #linearScan: OpCost<LinearScanOp>;
  readonly #stateUpdate: OpCost<StateUpdateOp>;
  readonly #ring: OpCost<CollectiveOp>;
  readonly #allToAll: OpCost<CollectiveOp>;
  readonly #exchange: OpCost<ExchangeOp>;
  readonly #copy: OpCost<CopyOp>;
  readonly #elementwise: OpCost<ElementwiseOp>;
  readonly #floor: OpCost<Op>;
  readonly #arithmetic: OpCost<GemmOp | GroupedGemmOp>;

  /**
   * `engineId` is a serving engine (`vllm`): where measured kernels differ by engine, its own are taken. `ownKernels`: those of
   * its profile that no map has.
   */
  constructor(device: Device, node: Node, engineId: string | null = null, ownKernels: OwnKernels | null = null) {
    const context: CostContext = { device, node, engineId, ownKernels };
    this.device = device;
    this.node = node;
    this.#gemm = gemmCost(context);
    this.#groupedGemm = groupedGemmCost(context);
    this.#attention = attentionCost(context);
    this.#sparseLatent = sparseLatentCost(context);
    this.#indexScores = indexScoresCost(context);
    this.#linearScan = linearScanCost(context);
    this.#stateUpdate = stateUpdateCost(context);
    this.#ring = ringCost(context);
    this.#allToAll = allToAllCost(context);
    this.#exchange = exchangeCost(context);
    this.#copy = copyCost(context);
    this.#elementwise = elementwiseCost(context);
    this.#floor = floorCost(context);
    this.#arithmetic = arithmeticCost(context);
  }

  /** Time of `op` that no kernel can beat, ns: bytes and FLOPs at the peaks. {@link opNs} is never below it. */
  floorNs(op: Op): number {
    return this.#floor(op);
  }

  /** What of {@link floorNs} the FLOPs of a product take, ns. */
  arithmeticNs(op: GemmOp | GroupedGemmOp): number {
    return this.#arithmetic(op);
  }

  /** Time of `op`, ns. */
  opNs(op: Op): number {
    switch (op.kind) {
      case "gemm":
        return this.#gemm(op);
      case "groupedGemm":
        return this.#groupedGemm(op);
      case "attentionPrefill":
      case "attentionDecode":
        return this.#attention(op);
      case "sparseLatent":
        return this.#sparseLatent(op);
      case "indexScores":
        return this.#indexScores(op);
      case "linearScan":
        return this.#linearScan(op);
      case "stateUpdate":
        return this.#stateUpdate(op);
      case "allReduce":
      case "allGather":
      case "reduceScatter":
        return this.#ring(op);
      case "allToAll":
        return this.#allToAll(op);
      case "dispatch":
      case "combine":
        return this.#exchange(op);
      case "copy":
        return this.#copy(op);
      case "elementwise":
        return this.#elementwise(op);
    }
  }
}
