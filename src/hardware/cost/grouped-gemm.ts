import type { GroupedGemmOp } from "../op.ts";
import {
  activationBytes,
  bytesPerValue,
  type CostContext,
  nsPerByte,
  nsPerFlop,
  type OpCost,
  roofline,
} from "./context.ts";
import { idealRoofline, type MappedShape, mappedByFormat } from "./mapped.ts";

const weightBytes = (op: GroupedGemmOp): number =>
  op.distinctExperts * op.parametersPerExpert * bytesPerValue[op.weightFormat];

/** Bytes that cross memory: every distinct expert once, the activations of every computed pair. */
const movedBytes = (op: GroupedGemmOp): number => weightBytes(op) + activationBytes * op.pairs * op.valuesPerPair;

/**
 * What decides how far expert kernels stay from the roofline: rows per expert (tiles), weights streamed (bandwidth ramp),
 * the width of an expert's shard (tiles across), and how many pairs that others compute pass through the kernel too.
 */
export const groupedGemmShape: MappedShape<GroupedGemmOp> = {
  axes: [
    { name: "pairsPerExpert", of: (op) => op.pairs / op.distinctExperts },
    { name: "weightBytes", of: weightBytes },
    { name: "shardWidth", of: (op) => op.shardWidth },
    { name: "presentedShare", of: (op) => Math.max(1, op.presentedPairs / op.pairs) },
  ],
  idealNs: (op, rates) =>
    idealRoofline(movedBytes(op) * rates.nsPerByte, 2 * op.parametersPerExpert * op.pairs * rates.nsPerFlop[op.math]),
};

/**
 * Routed experts: every distinct expert is read once. From measured maps where the device has them; else a roofline in
 * which compute ramps up with the tokens of one expert.
 */
export function groupedGemmCost(context: CostContext): OpCost<GroupedGemmOp> {
  const mapped = mappedByFormat(context, "groupedGemm", groupedGemmShape);
  if (mapped !== null) return (op) => (op.pairs > 0 && op.parametersPerExpert > 0 ? mapped(op.weightFormat)(op) : 0);
  const { device } = context;
  const { groupedGemmCompute, groupedGemmMemory, gemmHalfTokens, rooflineNorm } = device.efficiency;
  const perByte = nsPerByte(device, groupedGemmMemory);
  const perFlop = nsPerFlop(device, groupedGemmCompute);
  return (op) => {
    if (!(op.pairs > 0 && op.parametersPerExpert > 0)) return 0;
    // The ramp acts on the tokens of one expert, pairs / distinctExperts.
    const flops = 2 * op.parametersPerExpert * (op.pairs + gemmHalfTokens * op.distinctExperts);
    return roofline(movedBytes(op) * perByte, flops * perFlop[op.math], rooflineNorm);
  };
}
