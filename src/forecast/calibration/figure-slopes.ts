import { type ClosedLoop, closedLoopTpotNs } from "./closed-loop.ts";
import { figuresOf } from "./serving-figures.ts";

const difference = 0.01;

/** d ln TPOT / d ln figure, by forward differences about `logs`, where TPOT is `forecast` ns. */
export function figureSlopes(loop: ClosedLoop, logs: Float64Array, forecast: number): Float64Array {
  return Float64Array.from(logs, (log, figure) => {
    const moved = Float64Array.from(logs);
    moved[figure] = log + difference;
    return Math.log(closedLoopTpotNs(loop, figuresOf(moved)) / forecast) / difference;
  });
}
