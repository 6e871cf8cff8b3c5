/** A point of a plot of forecast against measured values, both above 0. */
export interface ScatterPoint {
  readonly measured: number;
  readonly predicted: number;
  /** Points of one series share a colour. */
  readonly series: string;
  readonly label: string;
}

/** Forecast against measured values on logarithmic axes of one range, so that equality is the diagonal. */
export interface ScatterPlot {
  /** The quantity on both axes, such as `TPOT`, and its unit. */
  readonly quantity: string;
  readonly unit: string;
  readonly points: readonly ScatterPoint[];
}

/** Forecasts between these multiples of the measured value are within 20 %. */
export const bandRatios = [0.8, 1.2] as const;

/** The range of both axes: values that hold every point, and the round values to label between them. */
export interface LogAxis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** Position of a value: 0 at `low`, 1 at `high`. */
  at(value: number): number;
  /** The value at a position. */
  valueAt(position: number): number;
}

const steps = [1, 2, 5] as const;

/** An axis from the 1-2-5 value at or below the smallest number to the one at or above the largest; null without points. */
export function logAxis(plot: ScatterPlot): LogAxis | null {
  const values = plot.points.flatMap(({ measured, predicted }) => [measured, predicted]).filter(plottable);
  if (values.length === 0) return null;
  const smallest = values.reduce((a, b) => Math.min(a, b));
  const largest = values.reduce((a, b) => Math.max(a, b));
  const round = roundValues(smallest, largest);
  const low = round.findLast((value) => value <= smallest) ?? smallest;
  const high = round.find((value) => value >= largest && value > low) ?? largest;
  const span = Math.log2(high / low);
  return {
    low,
    high,
    ticks: round.filter((value) => value >= low && value <= high),
    at: (value) => Math.log2(value / low) / span,
    valueAt: (position) => low * Math.exp(position * span * Math.LN2),
  };
}

export const plottable = (value: number): boolean => Number.isFinite(value) && value > 0;

/** Ascending 1-2-5 values from below `smallest` to above `largest`. */
function roundValues(smallest: number, largest: number): number[] {
  const values: number[] = [];
  for (let decade = Math.floor(Math.log10(smallest)) - 1; decade <= Math.ceil(Math.log10(largest)) + 1; decade += 1)
    for (const step of steps) values.push(Number(`${step}e${decade}`));
  return values;
}
