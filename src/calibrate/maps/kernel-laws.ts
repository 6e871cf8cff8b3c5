import { type StorageFormat, storageFormats } from "../../core/dtype.ts";
import { groupedGemmShape } from "../../hardware/cost/grouped-gemm.ts";
import { CostModel } from "../../hardware/cost.ts";
import type { Device } from "../../hardware/device.ts";
import type { KernelMap } from "../../hardware/kernel-maps.ts";
import type { GroupedGemmOp } from "../../hardware/op.ts";
import { expertShapes } from "../kernel-tables/expert-shapes.ts";
import { type EvenExperts, evenExpertOp } from "./even-experts.ts";

/** A law of expert kernels that maps break, and where most. */
export interface BrokenLaw {
  readonly engine: string;
  readonly format: StorageFormat;
  readonly law: KernelLaw;
  /** Time over what the law allows, where that is most; above 1. */
  readonly excess: number;
  /** Shapes looked at, and those among them that break it. */
  readonly shapes: number;
  readonly broken: number;
}

export type KernelLaw =
  | { readonly kind: "narrower"; readonly than: StorageFormat }
  | { readonly kind: "otherEngine"; readonly than: string }
  | { readonly kind: "morePairs" | "moreExperts" | "widerShard" };

/** Two maps, each wrong by some 8 %, differ from the truth by 11 % together. */
const tolerance = 1.12;
/** Kernels of one format that different people tuned are this far apart at most. */
const engineTolerance = 1.5;
/** Kernels that narrow formats need besides: quantising rows, arranging scales; a few launches. */
const extraKernelsNs = 25_000;
/** Rows per expert up to which the weights decide: the smallest tile of a tensor-core kernel. */
const decodePairsPerExpert = 16;
const tokens = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const tensorRanks = [1, 2, 4, 8];

const shapes: readonly EvenExperts[] = Object.values(expertShapes).flatMap((shape) =>
  tensorRanks.flatMap((ranks) => tokens.map((rows) => ({ shape, tokens: rows, ranks }))),
);

/**
 * Laws that expert kernels of one engine keep at equal shapes, held against the maps of a device:
 *
 * - weights at most two thirds as wide, with arithmetic at least as fast, take no longer in a decode step;
 * - more pairs on as many experts, more experts for as many pairs, and wider shards take no less;
 * - a decode step takes about as long as in the kernels of another engine: each could take over the other's.
 *
 * A map that breaks one stands for another kernel than its neighbours. Only shapes that the maps cover are looked at.
 */
export function brokenLaws(device: Device): BrokenLaw[] {
  const maps = (device.kernels?.maps ?? []).filter(({ family }) => family === "groupedGemm");
  const engines = [...new Set(maps.flatMap(({ engine }) => engine ?? []))];
  return engines.flatMap((engine) => {
    const own = maps.filter((map) => map.engine === engine);
    const model = new CostModel(device, { device, devicesPerNode: 8, tiers: [] }, engine);
    return own.flatMap((map) => [...brokenBy(map, own, model), ...slowerThanOthers(map, maps, model)]);
  });
}

function brokenBy(map: KernelMap, maps: readonly KernelMap[], model: CostModel): BrokenLaw[] {
  const { engine, format } = map;
  if (engine === undefined || format === undefined) return [];
  const { device } = model;
  const covered = shapes.filter((shape) => covers(map, evenExpertOp(device, shape, format)));
  const tally = (law: KernelLaw, of: readonly EvenExperts[], excessOf: (shape: EvenExperts) => number): BrokenLaw[] => {
    const excesses = of.map(excessOf);
    const broken = excesses.filter((excess) => excess > 1).length;
    return broken === 0 ? [] : [{ engine, format, law, excess: Math.max(...excesses), shapes: of.length, broken }];
  };
  const larger = (change: (op: GroupedGemmOp) => GroupedGemmOp) => (shape: EvenExperts) => {
    const op = evenExpertOp(device, shape, format);
    return model.opNs(op) / model.opNs(change(op)) / tolerance;
  };
  const narrower = maps.flatMap(({ format: than }) => {
    if (than === undefined || !(bits(format) <= bits(than) / 1.5)) return [];
    const wide = maps.find((one) => one.format === than)!;
    const decodes = covered.filter((shape) => {
      const op = evenExpertOp(device, shape, than);
      return op.pairs <= decodePairsPerExpert * op.distinctExperts && covers(wide, op);
    });
    const first = decodes[0];
    if (
      first === undefined ||
      !isAsFast(device, evenExpertOp(device, first, format), evenExpertOp(device, first, than))
    )
      return [];
    return tally({ kind: "narrower", than }, decodes, (shape) => {
      const allowed = tolerance * model.opNs(evenExpertOp(device, shape, than)) + extraKernelsNs;
      return model.opNs(evenExpertOp(device, shape, format)) / allowed;
    });
  });
  return [
    ...narrower,
    ...tally({ kind: "morePairs" }, covered, larger(morePairs)),
    ...tally({ kind: "moreExperts" }, covered, larger(moreExperts)),
    ...tally({ kind: "widerShard" }, covered, larger(widerShard)),
  ];
}

/** Other engines' maps of a format in which decodes take far less than in this one. */
function slowerThanOthers(map: KernelMap, maps: readonly KernelMap[], model: CostModel): BrokenLaw[] {
  const { engine, format } = map;
  if (engine === undefined || format === undefined) return [];
  const { device, node } = model;
  return maps.flatMap((other) => {
    if (other.format !== format || other.engine === undefined || other.engine === engine) return [];
    const others = new CostModel(device, node, other.engine);
    const excesses = shapes.flatMap((shape) => {
      const op = evenExpertOp(device, shape, format);
      if (op.pairs > decodePairsPerExpert * op.distinctExperts || !covers(map, op) || !covers(other, op)) return [];
      return [model.opNs(op) / (engineTolerance * others.opNs(op) + extraKernelsNs)];
    });
    const broken = excesses.filter((excess) => excess > 1).length;
    const law: KernelLaw = { kind: "otherEngine", than: other.engine };
    return broken === 0
      ? []
      : [{ engine, format, law, excess: Math.max(...excesses), shapes: excesses.length, broken }];
  });
}

const bits = (format: StorageFormat): number => storageFormats[format].bitsPerValue;

/** Whether the arithmetic of one operation has at least the peak of another's. */
const isAsFast = ({ peak }: Device, a: GroupedGemmOp, b: GroupedGemmOp): boolean =>
  (peak[a.math] ?? 0) >= (peak[b.math] ?? 0);

function morePairs(op: GroupedGemmOp): GroupedGemmOp {
  return { ...op, pairs: 1.5 * op.pairs, presentedPairs: 1.5 * op.presentedPairs };
}

function moreExperts(op: GroupedGemmOp): GroupedGemmOp {
  return { ...op, distinctExperts: Math.min(op.pairs, 1.5 * op.distinctExperts) };
}

function widerShard(op: GroupedGemmOp): GroupedGemmOp {
  const hidden = op.parametersPerExpert / (3 * op.shardWidth);
  const shardWidth = 1.5 * op.shardWidth;
  return {
    ...op,
    shardWidth,
    parametersPerExpert: 3 * hidden * shardWidth,
    valuesPerPair: 2 * hidden + 3 * shardWidth,
  };
}

/** Whether an operation lies within the outer knots of a map. */
function covers(map: KernelMap, op: GroupedGemmOp): boolean {
  return groupedGemmShape.axes.every(({ of }, i) => {
    const { knots } = map.axes[i]!;
    return of(op) >= knots[0]! * (1 - 1e-3) && of(op) <= knots.at(-1)! * (1 + 1e-3);
  });
}
