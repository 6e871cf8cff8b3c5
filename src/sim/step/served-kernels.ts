import { InvariantError } from "../../core/errors.ts";
import type { CostModel } from "../../hardware/cost.ts";
import type { Device } from "../../hardware/device.ts";
import type { GemmOp, GroupedGemmOp, Op } from "../../hardware/op.ts";

/**
 * Share of the peaks that the best kernels sustain. Expert kernels of decodes read 0.80 to 0.89 of the memory bandwidth of an
 * H200 and 0.94 of an RTX PRO 6000's; products compute at 0.93 to 0.97 of the bf16 peak (AIConfigurator's and LLMServingSim's
 * tables).
 */
const attainableShare = 0.91;

/** Sums of floats in another order differ by less. */
const rounding = 1 - 1e-9;

/**
 * Kernels as they run inside a served step. Alone, a kernel takes what the peaks allow and an excess: it is launched, fills
 * the device and drains it. In a replayed graph the excess of one kernel overlaps with its neighbours, and what the peaks
 * allow does not: no factor makes a kernel faster than that.
 */
export class ServedKernels {
  /** Share of the excess that remains in the step being timed. */
  excessShare = 1;
  /** Share of the multiprocessors that products are launched on; the rest is kept for an exchange beside them. */
  productShare = 1;
  /** Sum of the times of products. */
  productsNs = 0;
  readonly device: Device;
  private readonly cost: CostModel;

  constructor(cost: CostModel) {
    this.cost = cost;
    this.device = cost.device;
  }

  /** Time of `op` inside the step, ns. Throws InvariantError where a kernel alone would beat the peaks. */
  opNs(op: Op): number {
    const aloneNs = this.cost.opNs(op);
    const floorNs = this.cost.floorNs(op);
    if (!(aloneNs >= floorNs * rounding))
      throw new InvariantError("hardware-floor", `${op.kind} in ${aloneNs} ns, its peaks allow ${floorNs} ns`);
    const attainableNs = floorNs / attainableShare;
    const ns = aloneNs > attainableNs ? attainableNs + this.excessShare * (aloneNs - attainableNs) : aloneNs;
    if (op.kind !== "gemm" && op.kind !== "groupedGemm") return ns;
    const productNs = this.productShare < 1 ? ns * this.stretch(op, floorNs) : ns;
    this.productsNs += productNs;
    return productNs;
  }

  /** By how much a product takes longer on its share of the multiprocessors: where arithmetic bounds it, not where memory does. */
  private stretch(op: GemmOp | GroupedGemmOp, floorNs: number): number {
    return floorNs > 0 ? Math.max(1, this.cost.arithmeticNs(op) / (this.productShare * floorNs)) : 1;
  }
}

/** Whatever times the operations of a device. */
export type OpTimer = Pick<ServedKernels, "opNs" | "device">;
