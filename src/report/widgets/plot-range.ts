/** Points in the order in which they are joined; the shorter of the two lists counts. */
export interface PlotPoints {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** What the axes of a plot span: y from 0. */
export interface PlotRange {
  readonly lowX: number;
  readonly highX: number;
  /** Above 0. */
  readonly highY: number;
  /** 0 at `lowX` and 1 at `highX`; a half where they are one value. */
  positionX(value: number): number;
}

/** Largest numbers that are drawn: the difference of two is still finite. */
const most = 1e300;

const drawable = (x: number, y: number): boolean => Math.abs(x) <= most && y >= 0 && y <= most;

/** The points that can be drawn, null once for every gap between them. */
export function* plotPoints({ x, y }: PlotPoints): Generator<readonly [number, number] | null> {
  const count = Math.min(x.length, y.length);
  for (let i = 0; i < count; i += 1) yield drawable(x[i]!, y[i]!) ? [x[i]!, y[i]!] : null;
}

/** The range that holds every point and the limit; null where no point can be drawn. */
export function plotRange(series: readonly PlotPoints[], limit: number | undefined): PlotRange | null {
  let [lowX, highX, highY] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const points of series)
    for (const point of plotPoints(points)) {
      if (point === null) continue;
      lowX = Math.min(lowX, point[0]);
      highX = Math.max(highX, point[0]);
      highY = Math.max(highY, point[1]);
    }
  if (lowX > highX) return null;
  const top = Math.max(highY, Math.min(limit ?? 0, most));
  const span = highX - lowX;
  return {
    lowX,
    highX,
    highY: top > 0 ? top : 1,
    positionX: (value) => (span > 0 ? (value - lowX) / span : 0.5),
  };
}
