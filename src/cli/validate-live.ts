import { basename } from "node:path";
import { chooseBackend } from "../capture/backends/backends.ts";
import { explainLiveFailure, memoryLine, refuseLargeExperts, refuseManyExperts } from "../capture/live/live-memory.ts";
import { planRun, readLiveTrace, summaryOf } from "../capture/live/planned-run.ts";
import { liveCaches } from "../capture/live/residency.ts";
import { runPairs } from "../capture/live/run-beside.ts";
import { steadyNs } from "../capture/measure/probe.ts";
import { UsageError } from "../core/errors.ts";
import { compareLive, type LiveValidation } from "../validate/live/live-validation.ts";
import type { Io } from "./io.ts";
import { liveShape } from "./live-shape.ts";
import { progressLine } from "./progress.ts";
import { oneOf } from "./words.ts";

/** Options of `validate --live`. */
export interface LiveOptions {
  readonly trace?: string;
  readonly backend?: string;
  readonly shape?: string;
  readonly cache?: string;
  readonly slots?: number;
  readonly from?: string;
  readonly batch?: number;
  readonly layers?: number;
  readonly steps?: number;
  readonly runs?: number;
  readonly seconds?: number;
  readonly quiet?: boolean;
}

const command = "validate --live";
/** Enough for a p99 with ten steps beyond it. */
const stepsDefault = 1000;

/** Runs real expert layers over a trace, the simulator on the same, and compares. */
export async function validateLive(
  options: LiveOptions,
  { io, signal }: { readonly io: Io; readonly signal: AbortSignal },
): Promise<LiveValidation> {
  const { trace: file = "", batch = 1, runs = 3, seconds = 3, quiet = false } = options;
  const cache = oneOf(options.cache ?? "lru", liveCaches, "--cache");
  const from = oneOf(options.from ?? "host", ["host", "disk"] as const, "--from");
  const trace = await readLiveTrace(file, options.layers ?? Number.POSITIVE_INFINITY);
  const { experts, origin } = trace.table;
  const shape = { ...liveShape(options.shape ?? "128x256"), experts };
  const slots = options.slots ?? Math.ceil(experts / 2);
  if (slots > experts) throw new UsageError(`--slots: expected at most the ${experts} experts, found ${slots}`);
  const planned = planRun(trace, { shape, cache, slots, from, batch }, options.steps ?? stepsDefault);
  const backend = await chooseBackend(options.backend ?? "auto");
  try {
    if (!quiet) io.err(memoryLine(backend, planned.setting));
    refuseLargeExperts(command, backend, shape);
    refuseManyExperts(command, backend, planned.setting);
    const pairs = await runPairs(backend, planned, {
      runs,
      seconds,
      date: new Date().toISOString().slice(0, 10),
      clock: steadyNs,
      signal,
      watch: (run) => (quiet ? null : progressLine(io, `run ${run + 1}`, "steps")),
    });
    if (pairs.length < runs) io.err(`${command}: ${pairs.length} of ${runs} runs are compared\n`);
    const inputs = [{ role: "routing trace", name: basename(file), sha256: origin.digest }];
    return compareLive(pairs, summaryOf(planned, backend), inputs);
  } catch (error) {
    throw explainLiveFailure(command, error, "lower --slots or --shape");
  } finally {
    backend.close();
  }
}
