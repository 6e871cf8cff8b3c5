import type { GemmOp, GroupedGemmOp, Op } from "../op.ts";
import { attentionWork } from "./attention.ts";
import { collectiveFloor } from "./collective.ts";
import type { CostContext, OpCost } from "./context.ts";
import { copyFloor } from "./copy.ts";
import { exchangeFloor } from "./exchange.ts";
import { gemmWork } from "./gemm.ts";
import { groupedGemmWork } from "./grouped-gemm.ts";
import { indexScoresWork } from "./index-scores.ts";
import { linearScanWork } from "./linear-scan.ts";
import { type NominalRates, nominalRates, type OpWork } from "./mapped.ts";
import { sparseLatentWork } from "./sparse-latent.ts";

/**
 * Time that no kernel of an operation can beat: its bytes at the peak of memory, its FLOPs at the peak of its arithmetic, or
 * its bytes over a link at the nominal rate. Whatever factor is laid on a time, it holds.
 */
export function floorCost(context: CostContext): OpCost<Op> {
  const rates = nominalRates(context.device);
  const collective = collectiveFloor(context);
  const exchange = exchangeFloor(context);
  const copy = copyFloor(context);
  return (op) => {
    switch (op.kind) {
      case "gemm":
        return workFloor(gemmWork, op, rates);
      case "groupedGemm":
        return workFloor(groupedGemmWork, op, rates);
      case "attentionPrefill":
      case "attentionDecode":
        return workFloor(attentionWork, op, rates);
      case "sparseLatent":
        return workFloor(sparseLatentWork, op, rates);
      case "indexScores":
        return workFloor(indexScoresWork, op, rates);
      case "linearScan":
        return workFloor(linearScanWork, op, rates);
      case "stateUpdate":
      case "elementwise":
        return op.bytes * rates.nsPerByte;
      case "allReduce":
      case "allGather":
      case "reduceScatter":
      case "allToAll":
        return collective(op);
      case "dispatch":
      case "combine":
        return exchange(op);
      case "copy":
        return copy(op);
    }
  };
}

/** Time of a product's FLOPs alone at the peak of its arithmetic. */
export function arithmeticCost({ device }: CostContext): OpCost<GemmOp | GroupedGemmOp> {
  const rates = nominalRates(device);
  return (op) =>
    op.kind === "gemm"
      ? gemmWork.flops(op) * rates.nsPerFlop[gemmWork.math(op, device)]
      : groupedGemmWork.flops(op) * rates.nsPerFlop[groupedGemmWork.math(op, device)];
}

/** The longer of memory and arithmetic at their peaks; nothing to compute takes no time. */
function workFloor<O>(work: OpWork<O>, op: O, rates: NominalRates): number {
  const flops = work.flops(op);
  if (!(flops > 0)) return 0;
  return Math.max(work.bytes(op) * rates.nsPerByte, flops * rates.nsPerFlop[work.math(op, rates.device)]);
}
