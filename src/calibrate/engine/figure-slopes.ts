import { type ClosedLoop, closedLoopTpotNs } from "./closed-loop.ts";

const moved = Math.exp(0.01);

/** TPOT at the figures of the given logarithms, ns, and d ln TPOT / d ln figure by forward differences. */
export function figureSlopes(loop: ClosedLoop, logs: Float64Array): { tpotNs: number; slopes: Float64Array } {
  const values = logs.map(Math.exp);
  const tpotNs = closedLoopTpotNs(loop, values);
  const slopes = logs.map((_, figure) => {
    const value = values[figure]!;
    values[figure] = value * moved;
    const slope = Math.log(closedLoopTpotNs(loop, values) / tpotNs) / 0.01;
    values[figure] = value;
    return slope;
  });
  return { tpotNs, slopes };
}
