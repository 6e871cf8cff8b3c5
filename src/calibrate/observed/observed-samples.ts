import { type ClosedLoop, closedLoopTpotNs, closedLoopTtftNs } from "../engine/closed-loop.ts";
import type { LoopSample, LoopTime } from "../engine/fit-factors.ts";
import { handledNs } from "../engine/request-handling.ts";
import { logsOf } from "../engine/serving-figures.ts";
import type { ObservedLoad } from "./observed-loads.ts";
import { meanLength } from "./observed-workload.ts";
import type { Adjusted, ShownLoad } from "./shown-load.ts";

/** An observed load and the steady state of its closed loop. */
export interface ObservedLoop {
  readonly load: ObservedLoad;
  readonly loop: ClosedLoop;
}

/** A deployment, and by how much the handling of its requests was moved. */
export interface Deployment extends Adjusted {
  readonly handlingFactor: number;
}

/** A deployment and what the loads show on it. */
export interface Round extends Deployment {
  readonly shown: readonly ShownLoad[];
}

/** The observed latencies as the steady states of their loops have them. A TTFT that waits for a place says nothing. */
export function samplesOf(round: Round, observed: readonly ObservedLoop[]): LoopSample[] {
  const { engine, fetchFactor, handlingFactor } = round;
  const values = logsOf(engine).map(Math.exp);
  return observed.map(({ load, loop }, i) => {
    const shown = round.shown[i]!;
    // A steady state and the parts beside it, in the proportion that the simulation has them.
    const carried = (computedNs: number, handledShare: number, ratio: number): Required<LoopTime> => {
      const ns = computedNs / (1 - shown.fetchShare) / (1 - handledShare);
      return {
        ns: ns * ratio,
        fetches: (shown.fetchShare * (1 - handledShare) * ns) / fetchFactor,
        handling: (handledShare * ns) / handlingFactor,
      };
    };
    const tpot = carried(closedLoopTpotNs(loop, values), 0, load.tpotMs / shown.tpotMs);
    const sample = { loop, tpotNs: tpot.ns, fetches: tpot.fetches, weight: load.weight };
    if (load.ttftMs === null || shown.wait === "place") return sample;
    const handled = handledNs(engine, meanLength(load.served.workload.requests.promptTokens));
    const share = Math.min(handledShareMax, handled / (shown.ttftMs * 1e6));
    return { ...sample, ttft: carried(closedLoopTtftNs(loop, values), share, load.ttftMs / shown.ttftMs) };
  });
}

/** A request of less than mean length may take less than its mean handling: something is left for its prefill. */
const handledShareMax = 0.98;
