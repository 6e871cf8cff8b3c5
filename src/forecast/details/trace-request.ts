import { giveWay } from "../../files/cooperative.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { RequestRecorder } from "../../sim/outcome/request-recorder.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import { requestStatus } from "../../sim/result.ts";
import { type SimulateHooks, simulateCooperatively } from "../../sim/simulate.ts";
import { type RequestTrace, requestTrace } from "./request-trace.ts";

/** What following a request needs from outside. */
export interface TraceDeps extends Surroundings, Pick<SimulateHooks, "batchSteps" | "onBatch"> {
  readonly signal?: AbortSignal;
  readonly giveWay?: (this: void) => Promise<void>;
}

/**
 * Runs a scenario once more, until one request has ended, and follows that: runs are deterministic, so it fares as it did.
 * null for a request that is not completed by the end of the run. An aborted signal ends it with its reason.
 */
export async function traceRequest(
  scenario: Scenario,
  request: number,
  { signal, batchSteps, onBatch, giveWay: pause = giveWay, ...surroundings }: TraceDeps,
): Promise<RequestTrace | null> {
  const { config } = await resolveScenario(scenario, surroundings, null, signal);
  const recorder = new RequestRecorder(request);
  let ended = false;
  const run = await simulateCooperatively(config, {
    steps: recorder,
    giveWay: pause,
    ...(batchSteps === undefined ? {} : { batchSteps }),
    onBatch: (view: RunView) => {
      const status = view.state.status[request];
      ended = status === requestStatus.completed || status === requestStatus.rejected;
      onBatch?.(view);
    },
    shouldStop: () => ended || signal?.aborted === true,
  });
  signal?.throwIfAborted();
  return run.requests.status[request] === requestStatus.completed ? requestTrace(recorder, run.requests) : null;
}
