import { sum } from "../../core/statistics.ts";
import { closedLoopTpotNs } from "../engine/closed-loop.ts";
import type { Trust } from "../engine/fit-factors.ts";
import { logsOf } from "../engine/serving-figures.ts";
import type { ObservedLoad } from "./observed-loads.ts";
import type { ObservedLoop, Round } from "./observed-samples.ts";
import type { ShownLoad } from "./shown-load.ts";

/** TTFTs scatter about twice as much as TPOTs, and one that contradicts its TPOT does not bend it. */
export const ttftTrust: Trust = { noise: 0.06, robustFrom: 0.1 };

/**
 * Weighted root mean square of ln(simulated / measured) over loads. TTFTs count that the figures can move: not those of
 * requests that wait for a place.
 */
export function misfit(loads: readonly ObservedLoad[], shown: readonly ShownLoad[]): number {
  const weights = sum(loads.map(({ weight }) => weight));
  const squares = loads.map(({ tpotMs, ttftMs, weight }, i) => {
    const { tpotMs: simulatedMs, ttftMs: firstMs, wait } = shown[i]!;
    const tpot = Math.log(simulatedMs / tpotMs);
    const ttft = ttftMs === null || wait === "place" ? 0 : Math.log(firstMs / ttftMs);
    return weight * (tpot * tpot + ttftWeight * robustSquare(ttft, ttftTrust.robustFrom));
  });
  return Math.sqrt(sum(squares) / weights);
}

/** What the square of a TTFT's residual weighs beside that of a TPOT. */
const ttftWeight = 0.25;

/** The square of a residual, which grows in proportion to it from a size on (Huber). */
const robustSquare = (residual: number, from: number): number => {
  const size = Math.abs(residual);
  return size <= from ? size * size : from * (2 * size - from);
};

/** Mean |ln(measured / simulated)| up to which it does not tell into which direction a deployment differs. */
const indifferent = 0.08;

/**
 * Whether a deployment shows TPOTs that its figures do not explain: the measured ones are longer and the figures shorter,
 * or the other way round; or the simulated ones pass the measured ones, which no fit under priors does. Under data-parallel
 * attention the TPOT of short outputs depends on whether prompts of several ranks fall into one step, and a small move of
 * anything changes that: the loop has two steady states, and what is measured may lie between them.
 */
export function byChance(observed: readonly ObservedLoop[], before: Round, after: Round): boolean {
  const weights = sum(observed.map(({ load }) => load.weight));
  const total = (logOf: (each: ObservedLoop, i: number) => number) =>
    sum(observed.map((each, i) => each.load.weight * logOf(each, i))) / weights;
  const wantedOf = ({ shown }: Round) => total(({ load }, i) => Math.log(load.tpotMs / shown[i]!.tpotMs));
  const [from, to] = [before, after].map(({ engine }) => logsOf(engine).map(Math.exp));
  const moved = total(({ loop }) => Math.log(closedLoopTpotNs(loop, to!) / closedLoopTpotNs(loop, from!)));
  const [wanted, left] = [wantedOf(before), wantedOf(after)];
  const passed = wanted * left < 0 && Math.abs(left) > indifferent;
  return passed || (Math.abs(wanted) > indifferent && wanted * moved < 0);
}
