import { type ClosedLoop, closedLoopTpotNs } from "./closed-loop.ts";

const moved = Math.exp(0.01);

/**
 * A time of the loop at the figures of the given logarithms, TPOT unless told, ns, and d ln time / d ln figure by forward
 * differences.
 */
export function figureSlopes(
  loop: ClosedLoop,
  logs: Float64Array,
  timeNs: (loop: ClosedLoop, values: ArrayLike<number>) => number = closedLoopTpotNs,
): { ns: number; slopes: Float64Array } {
  const values = logs.map(Math.exp);
  const ns = timeNs(loop, values);
  const slopes = logs.map((_, figure) => {
    const value = values[figure]!;
    values[figure] = value * moved;
    const slope = Math.log(timeNs(loop, values) / ns) / 0.01;
    values[figure] = value;
    return slope;
  });
  return { ns, slopes };
}
