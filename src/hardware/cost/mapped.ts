import type { MathFormat, StorageFormat } from "../../core/dtype.ts";
import type { Device } from "../device.ts";
import { EfficiencyLookup } from "../efficiency-map.ts";
import { chooseMap, type KernelFamily, type KernelMap } from "../kernel-maps.ts";
import { type CostContext, nsPerByte, nsPerFlop, roofline } from "./context.ts";

/** Nominal rates of a device, for ideal times. */
export interface NominalRates {
  readonly device: Device;
  readonly nsPerByte: number;
  readonly nsPerFlop: Readonly<Record<MathFormat, number>>;
}

/** Rates at the peaks, without any efficiency. Maps of kernels are relative to them. */
export function nominalRates(device: Device): NominalRates {
  const { formatCompute: _, ...efficiency } = device.efficiency;
  return { device, nsPerByte: nsPerByte(device, 1), nsPerFlop: nsPerFlop({ ...device, efficiency }, 1) };
}

/** Norm of the ideal time. It is the same for every device, so maps can be carried over. */
const idealNorm = 3;

/** Memory and compute time at the nominal peaks, combined. Never below the longer of the two. */
export function idealRoofline(memoryNs: number, computeNs: number): number {
  return roofline(memoryNs, computeNs, idealNorm);
}

/** What the maps of one family rest on: the coordinates of an operation, and its time at nominal peaks. */
export interface MappedShape<O> {
  readonly axes: readonly { readonly name: string; readonly of: (op: O) => number }[];
  idealNs(op: O, rates: NominalRates): number;
  /** What the operation has to move and compute: no kernel is faster. For families bound by memory and arithmetic. */
  readonly work?: (op: O, rates: NominalRates) => Work;
}

/** Bytes of device memory and FLOPs of an operation. */
export interface Work {
  readonly bytes: number;
  readonly flops: number;
  readonly math: MathFormat;
}

/** Time by a map, ns, of an operation that has work to do. */
function mappedCost<O>(map: KernelMap, shape: MappedShape<O>, rates: NominalRates): (op: O) => number {
  const lookup = new EfficiencyLookup(map);
  const [a = one, b = one, c = one, d = one] = shape.axes.map((axis) => axis.of);
  return (op) => map.launchNs + shape.idealNs(op, rates) * lookup.slowdownAt(a(op), b(op), c(op), d(op));
}

const one = () => 1;

/** Costs of a family by format, each prepared at its first use; null where the device has no maps of the family. */
export function mappedByFormat<O>(
  { device, engineId }: CostContext,
  family: KernelFamily,
  shape: MappedShape<O>,
): ((format: StorageFormat) => (op: O) => number) | null {
  if (chooseMap(device.kernels, family, engineId, null) === null) return null;
  const rates = nominalRates(device);
  const byFormat: Partial<Record<StorageFormat, (op: O) => number>> = {};
  const prepare = (format: StorageFormat): ((op: O) => number) => {
    const chosen = chooseMap(device.kernels, family, engineId, format);
    if (chosen === null) throw new RangeError(`no map of ${family}`);
    return mappedCost(chosen.map, shape, rates);
  };
  return (format) => (byFormat[format] ??= prepare(format));
}
