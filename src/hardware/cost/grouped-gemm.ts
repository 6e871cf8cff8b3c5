import type { MathFormat, StorageFormat } from "../../core/dtype.ts";
import type { Device } from "../device.ts";
import type { KernelFamily } from "../kernel-maps.ts";
import type { GroupedGemmOp } from "../op.ts";
import {
  activationBytes,
  bytesPerValue,
  type CostContext,
  nsPerFlop,
  type OpCost,
  roofline,
  weightValueBytes,
} from "./context.ts";
import { computedRows, readCost } from "./few-rows.ts";
import { integerProducts } from "./integer-products.ts";
import { idealRoofline, type MappedShape, mappedByFormat, type OpWork } from "./mapped.ts";

const weightBytes = (op: GroupedGemmOp): number => op.distinctExperts * op.parametersPerExpert * weightValueBytes(op);

/** Bytes that cross memory: every distinct expert once, the activations of every computed pair. */
const movedBytes = (op: GroupedGemmOp): number => weightBytes(op) + activationBytes * op.pairs * op.valuesPerPair;

/**
 * Arithmetic of the ideal time: that of the operation. One exception: kernels for mxfp4 weights on a device with 4-bit
 * units take 8-bit activations in some engines and 16-bit ones in others; the faster of the two counts.
 */
const idealMath = (op: GroupedGemmOp, device: Device): MathFormat =>
  op.weightFormat === "mxfp4" && device.peak.fp4 !== undefined ? "fp8" : op.math;

const flopsOf = (op: GroupedGemmOp): number => 2 * op.parametersPerExpert * op.pairs;

/** What every kernel of these experts has to move and compute. */
export const groupedGemmWork: OpWork<GroupedGemmOp> = { bytes: movedBytes, flops: flopsOf, math: idealMath };

/** An operation to fill. */
const emptyOp = (): GroupedGemmOp => ({
  kind: "groupedGemm",
  pairs: 0,
  distinctExperts: 0,
  presentedPairs: 0,
  parametersPerExpert: 0,
  shardWidth: 0,
  valuesPerPair: 0,
  weightFormat: "bf16",
  math: "bf16",
});

/** The same experts with wider weights, and the arithmetic of the wider format. One object, filled again at every call. */
function widening(): (op: GroupedGemmOp, format: StorageFormat) => GroupedGemmOp {
  const wide = emptyOp();
  return (op, format) => {
    Object.assign(wide, op);
    wide.weightFormat = format;
    wide.bytesPerWeight = undefined;
    wide.math = bytesPerValue[format] >= activationBytes ? "bf16" : op.math === "fp4" ? "fp8" : op.math;
    return wide;
  };
}

/**
 * Four axes decide how far expert kernels stay from the roofline: rows per expert (tiles), weights streamed (bandwidth
 * ramp), the width of an expert's shard (tiles across), and pairs of other ranks that pass through the kernel too.
 */
export const groupedGemmShape: MappedShape<GroupedGemmOp> = {
  axes: [
    { name: "pairsPerExpert", of: (op) => op.pairs / op.distinctExperts },
    { name: "weightBytes", of: weightBytes },
    { name: "shardWidth", of: (op) => op.shardWidth },
    { name: "presentedShare", of: (op) => Math.max(1, op.presentedPairs / op.pairs) },
  ],
  work: groupedGemmWork,
  idealNs: (op, rates) =>
    idealRoofline(movedBytes(op) * rates.nsPerByte, flopsOf(op) * rates.nsPerFlop[idealMath(op, rates.device)]),
};

const [rowsAxis, bytesAxis, , presentedAxis] = groupedGemmShape.axes;
if (rowsAxis === undefined || bytesAxis === undefined || presentedAxis === undefined)
  throw new RangeError("routed experts have four axes");

/**
 * Experts whose tokens were sent to them, measured for one shape of experts. In blocks of rows (decodes), rows per
 * expert and weights streamed decide. In contiguous rows (prompts), rows per expert, and the tokens that are put in
 * order: each arrives once, whether one of its experts or several are here.
 */
export const sentExpertsShapes = {
  contiguous: { ...groupedGemmShape, axes: [rowsAxis, presentedAxis] },
  masked: { ...groupedGemmShape, axes: [rowsAxis, bytesAxis] },
} as const satisfies Record<NonNullable<GroupedGemmOp["sent"]>, MappedShape<GroupedGemmOp>>;

/** Map family per layout. */
export const sentFamilies = {
  contiguous: "sentExpertsContiguous",
  masked: "sentExpertsMasked",
} as const satisfies Record<NonNullable<GroupedGemmOp["sent"]>, KernelFamily>;

/**
 * The kernels made for sent tokens, by layout, each prepared at its first use; null where the device has no maps of
 * them.
 */
function sentCosts(context: CostContext): (layout: keyof typeof sentFamilies) => OpCost<GroupedGemmOp> | null {
  const prepared: Partial<Record<keyof typeof sentFamilies, OpCost<GroupedGemmOp> | null>> = {};
  return (layout) => {
    if (prepared[layout] === undefined) {
      const mapped = mappedByFormat(context, sentFamilies[layout], sentExpertsShapes[layout]);
      prepared[layout] = mapped === null ? null : mapped("fp8_block");
    }
    return prepared[layout];
  };
}

/**
 * Routed experts: every distinct expert is read once. From measured maps where the device has them; else a roofline as
 * that of dense products, whose rows are those of one expert.
 */
export function groupedGemmCost(context: CostContext): OpCost<GroupedGemmOp> {
  return integerProducts(context, integerProduct, emptyOp(), usualCost(context));
}

const integerProduct = {
  rows: (op: GroupedGemmOp) => op.pairs / op.distinctExperts,
  weights: (op: GroupedGemmOp) => op.distinctExperts * op.parametersPerExpert,
  activations: (op: GroupedGemmOp) => op.pairs * op.valuesPerPair,
  withRows: (into: GroupedGemmOp, op: GroupedGemmOp, rows: number) => {
    Object.assign(into, op);
    into.pairs = rows * op.distinctExperts;
    into.presentedPairs = op.presentedPairs * (into.pairs / op.pairs);
    return into;
  },
};

function usualCost(context: CostContext): OpCost<GroupedGemmOp> {
  const sent = sentCosts(context);
  const mapped = mappedByFormat(context, "groupedGemm", groupedGemmShape, widening());
  if (mapped !== null) {
    return (op) => {
      if (!(op.pairs > 0 && op.parametersPerExpert > 0)) return 0;
      // They multiply 8-bit values.
      const own = op.sent === undefined || op.math !== "fp8" ? null : sent(op.sent);
      if (own !== null) return own(op);
      return mapped(op.weightFormat)(op);
    };
  }
  const { device } = context;
  const { groupedGemmCompute, groupedGemmMemory, groupedGemmLaunchNs, tileRows, rooflineNorm } = device.efficiency;
  const perFlop = nsPerFlop(device, groupedGemmCompute);
  const readNs = readCost(device, groupedGemmMemory);
  return (op) => {
    if (!(op.pairs > 0 && op.parametersPerExpert > 0)) return 0;
    const weights = op.distinctExperts * op.parametersPerExpert;
    const flops = 2 * weights * computedRows(op.pairs / op.distinctExperts, tileRows);
    const read = readNs(movedBytes(op), weights, op);
    return groupedGemmLaunchNs + roofline(read, flops * perFlop[op.math], rooflineNorm);
  };
}
