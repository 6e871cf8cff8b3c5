import { basename } from "node:path";
import { chooseBackend } from "../capture/backends/backends.ts";
import { threadedBackends } from "../capture/live/ahead/layer-threads.ts";
import { explainLiveFailure, memoryLine, refuseLargeExperts, refuseManyExperts } from "../capture/live/live-memory.ts";
import { planRun, readLiveTrace, summaryOf } from "../capture/live/planned-run.ts";
import { liveCaches } from "../capture/live/residency.ts";
import { runPairs } from "../capture/live/run-beside.ts";
import { steadyNs } from "../capture/measure/probe.ts";
import { UsageError } from "../core/errors.ts";
import { livePrefetch, livePrefetchers } from "../validate/live/live-prefetch.ts";
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
  readonly prefetch?: string;
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
  const kind = options.prefetch === undefined ? null : oneOf(options.prefetch, livePrefetchers, "--prefetch");
  if (kind !== null && cache === "static")
    throw new UsageError("--prefetch: a static cache never changes what it holds, so nothing can be sent ahead");
  const read = await readLiveTrace(file, options.layers ?? Number.POSITIVE_INFINITY);
  const { experts, origin, layers } = read.table;
  if (kind !== null && layers < 2)
    throw new UsageError(
      "--prefetch: expected at least 2 layers, one to compute while experts of the next are sent, found 1",
    );
  const shape = { ...liveShape(options.shape ?? "128x256"), experts };
  const slots = options.slots ?? Math.ceil(experts / 2);
  if (slots > experts) throw new UsageError(`--slots: expected at most the ${experts} experts, found ${slots}`);
  const { prefetch, replayed } =
    kind === null ? { prefetch: null, replayed: read.table } : livePrefetch(kind, read.table);
  const planned = planRun(
    { ...read, table: replayed },
    { shape, cache, slots, from, batch, prefetch },
    options.steps ?? stepsDefault,
  );
  const backend = await chooseBackend(options.backend ?? "auto");
  try {
    if (prefetch !== null && !threadedBackends.includes(backend.id))
      throw new UsageError(
        `--prefetch: expected a backend that each thread can have for itself, ${threadedBackends.join(" or ")}, found ${backend.id}: ` +
          "its one queue takes uploads in turn with what it computes",
      );
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
