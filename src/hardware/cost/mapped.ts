import type { MathFormat, StorageFormat } from "../../core/dtype.ts";
import { refuse } from "../../core/errors.ts";
import { carriedExcess, carriedReading, excessExponent } from "../carry-over.ts";
import type { Device } from "../device.ts";
import { EfficiencyLookup } from "../efficiency-map.ts";
import { chooseMap, type KernelFamily, type KernelMap, widerOwnMap } from "../kernel-maps.ts";
import { deviceNamed } from "../named-profiles.ts";
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
  /** Full blocks of threads in a kernel that writes to the cache beside the family's own; absent: there is none. */
  readonly writes?: (op: O) => number;
  /** What the operation has to move and compute: no kernel is faster. For families bound by memory and arithmetic. */
  readonly work?: OpWork<O>;
}

/** Bytes of device memory and FLOPs of an operation, and the arithmetic of these on a device. */
export interface OpWork<O> {
  readonly bytes: (op: O) => number;
  readonly flops: (op: O) => number;
  readonly math: (op: O, device: Device) => MathFormat;
}

/** Time by a map, ns, of an operation that has work to do. */
export function mappedCost<O>(map: KernelMap, shape: MappedShape<O>, rates: NominalRates): (op: O) => number {
  const strange = map.axes.findIndex(({ name }, i) => name !== shape.axes[i]?.name);
  if (strange >= 0)
    refuse({
      at: `kernels of ${map.from ?? rates.device.id}: ${map.family}, axis ${strange + 1}`,
      expected: shape.axes[strange]?.name ?? `${shape.axes.length} axes`,
      found: map.axes[strange]?.name,
      hint: "calibrate the device again",
    });
  const lookup = new EfficiencyLookup(map);
  const [a = one, b = one, c = one, d = one] = shape.axes.map((axis) => axis.of);
  const slowdown = (op: O) => lookup.slowdownAt(a(op), b(op), c(op), d(op));
  const { launchNs, writeNs = 0 } = map;
  const { writes } = shape;
  const besideNs = writes === undefined ? () => launchNs : (op: O) => launchNs + writeNs * writes(op);
  if (map.from === undefined) return (op) => besideNs(op) + shape.idealNs(op, rates) * slowdown(op);
  // The share of the peaks that is never passed follows the ideal time; what a kernel takes beyond it is carried over.
  const measured = deviceNamed(map.from);
  const source = nominalRates(measured);
  const own = { ...rates, nsPerByte: rates.nsPerByte * carriedReading(measured, rates.device) };
  const exponent = excessExponent(map.from, rates.device.id);
  const least = 1 / Math.max(...map.efficiency);
  return (op) => {
    const idealNs = shape.idealNs(op, source);
    const ownIdealNs = shape.idealNs(op, own);
    const excessNs = (slowdown(op) - least) * idealNs;
    return besideNs(op) + least * ownIdealNs + carriedExcess(excessNs, idealNs, ownIdealNs, exponent);
  };
}

const one = () => 1;

/** An operation over weights in a wider format. */
type Widened<O> = (op: O, format: StorageFormat) => O;

/**
 * Time by the map that stands for a format. Where it belongs to another engine or format, the engine's own map of the next
 * wider format bounds it from above.
 */
function preparedCost<O>(
  { device, engineId }: CostContext,
  family: KernelFamily,
  shape: MappedShape<O>,
  rates: NominalRates,
  format: StorageFormat,
  widened?: Widened<O>,
): (op: O) => number {
  const chosen = chooseMap(device.kernels, family, engineId, format);
  if (chosen === null) throw new RangeError(`no map of ${family}`);
  const cost = mappedCost(chosen.map, shape, rates);
  if (widened === undefined || (chosen.sameEngine && chosen.sameWidth)) return cost;
  const wider = widerOwnMap(device.kernels, family, engineId, format);
  if (wider === null || wider.format === chosen.map.format) return cost;
  const bound = mappedCost(wider, shape, rates);
  return (op) => Math.max(shape.idealNs(op, rates), Math.min(cost(op), bound(widened(op, wider.format))));
}

/** Costs of a family by format, each prepared at its first use; null where the device has no maps of the family. */
export function mappedByFormat<O>(
  context: CostContext,
  family: KernelFamily,
  shape: MappedShape<O>,
  widened?: Widened<O>,
): ((format: StorageFormat) => (op: O) => number) | null {
  const { device, engineId } = context;
  if (chooseMap(device.kernels, family, engineId, null) === null) return null;
  const rates = nominalRates(device);
  const byFormat: Partial<Record<StorageFormat, (op: O) => number>> = {};
  return (format) => (byFormat[format] ??= preparedCost(context, family, shape, rates, format, widened));
}
