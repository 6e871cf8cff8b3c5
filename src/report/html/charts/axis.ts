import { scaleLinear, scaleLog } from "d3-scale";

/** What an axis shows. */
export interface AxisSpec {
  readonly label: string;
  readonly kind: "linear" | "log";
  /** Values that must be on it. */
  readonly values: readonly number[];
  /** A linear axis begins at zero. Default true. */
  readonly fromZero?: boolean;
  /** Its end, where it is known, such as 1 for shares. */
  readonly most?: number;
  format(value: number): string;
}

/** An axis with its places in user units. */
export interface Axis {
  readonly label: string;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  at(value: number): number;
}

const ticksWanted = 5;

/** Lays an axis from `from` to `to`, which may lie the other way round. */
export function layAxis(spec: AxisSpec, from: number, to: number): Axis {
  const values = spec.values.filter((value) => Number.isFinite(value) && (spec.kind === "linear" || value > 0));
  const lowest = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const highest = values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  const [low, high] = values.length === 0 ? [1, 2] : [lowest, highest];
  const scale =
    spec.kind === "log"
      ? scaleLog().domain(low === high ? [low / 1.5, high * 1.5] : [low / 1.1, high * 1.1])
      : scaleLinear().domain(linearDomain(spec, low, high));
  if (spec.most === undefined && spec.kind === "linear") scale.nice(ticksWanted);
  scale.range([from, to]);
  const marks = spec.kind === "log" ? logTicks(scale.domain() as [number, number]) : scale.ticks(ticksWanted);
  return {
    label: spec.label,
    ticks: marks.map((value) => ({ at: scale(value), text: spec.format(value) })),
    at: (value) => scale(value),
  };
}

function linearDomain({ fromZero = true, most }: AxisSpec, low: number, high: number): [number, number] {
  const start = fromZero ? Math.min(0, low) : low;
  const end = most ?? high;
  return [start, end - start >= narrowest ? end : start + 1];
}

/** Figures that differ by less are one: what is far below it cannot be divided by. */
const narrowest = 1e-12;

const ticksMax = 6;

/** Powers of ten with their doubles and halves, as many as there is room for. */
function logTicks([low, high]: [number, number]): number[] {
  const within = (steps: readonly number[]): number[] => {
    const ticks: number[] = [];
    for (let exponent = Math.floor(Math.log10(low)) - 1; exponent <= Math.ceil(Math.log10(high)); exponent++)
      for (const step of steps) ticks.push(Number(`${step}e${exponent}`));
    return ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  };
  const choices = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(within);
  const fitting = choices.find((ticks) => ticks.length <= ticksMax) ?? choices.at(-1)!;
  const each = Math.ceil(fitting.length / ticksMax);
  return fitting.filter((_, i) => i % each === 0);
}
