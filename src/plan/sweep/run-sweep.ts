import { InvalidInputError } from "../../core/errors.ts";
import { type Design, pointCount, pointsOf, settingText } from "../design/design.ts";
import type { Executor } from "../execute/executor.ts";
import type { Job, JobBase, JobStatus, Outcome } from "../job/job.ts";
import { jobKey } from "../job/job-key.ts";
import { keyParts } from "../job/job-keys.ts";
import { scenarioOf } from "../job/job-policies.ts";
import type { ResultRow } from "../results/result-table.ts";
import { inShard, type Shard } from "./shard.ts";
import { defaultFolder, newManifest, openSweepFolder, writeResults } from "./sweep-folder.ts";

export interface SweepRequest {
  readonly base: JobBase;
  readonly design: Design;
  /** null: one under `sweeps`, named after what is run. */
  readonly folder: string | null;
  readonly shard: Shard | null;
}

export interface SweepDeps {
  readonly executor: Executor;
  readonly signal?: AbortSignal;
  /** Configurations with an outcome, of all; the first call has those that were there before. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a sweep came to. */
export interface SweepResult {
  readonly scenario: string;
  readonly folder: string;
  readonly design: Design;
  /** Configurations in all, of this shard. */
  readonly total: number;
  /** Those whose outcome was there before. */
  readonly cached: number;
  readonly counts: Readonly<Record<JobStatus, number>>;
  /** With an outcome, in the order of the design. */
  readonly rows: readonly ResultRow[];
  /** Tables that were written. */
  readonly files: readonly string[];
  readonly interrupted: boolean;
}

/**
 * Runs the configurations of a design that have no outcome yet, and writes the tables of all that have one. An interrupt, an
 * executor that fails and a full disk lose the runs in flight at most: the same call goes on where they ended.
 * @throws InvalidInputError where the design does not fit the scenario or the folder holds something else, OutputError where the
 * folder cannot be written
 */
export async function runSweep(request: SweepRequest, deps: SweepDeps): Promise<SweepResult> {
  const { base, design, shard } = request;
  const { executor, signal, onProgress } = deps;
  const scenario = await checkFirst(base, design);
  const keys = await keyParts(base, jobsIn(design));
  const manifest = newManifest({ scenario, keys, design, shard });
  const folder = request.folder ?? defaultFolder(manifest);
  const { journal, close } = await openSweepFolder(folder, manifest);
  try {
    const outcomes = new Map<string, Outcome>();
    const jobs: Job[] = [];
    // Two configurations that are the same are run once.
    const asked = new Set<string>();
    const points: Omit<ResultRow, "outcome">[] = [];
    let point = -1;
    for (const values of pointsOf(design)) {
      if (!inShard(shard, ++point)) continue;
      const settings = values.map(settingText);
      const key = jobKey(keys, settings);
      points.push({ point, key, values });
      const before = journal.before.get(key);
      if (before !== undefined) outcomes.set(key, before);
      else if (!asked.has(key)) jobs.push({ key, settings });
      asked.add(key);
    }
    const cached = outcomes.size;
    onProgress?.(cached, asked.size);
    let interrupted = false;
    try {
      await executor.run(
        base,
        jobs,
        async ({ key }, outcome) => {
          await journal.append(key, outcome);
          outcomes.set(key, outcome);
          onProgress?.(outcomes.size, asked.size);
        },
        signal,
      );
    } catch (error) {
      if (signal?.aborted !== true || error !== signal.reason) throw error;
      interrupted = true;
    }
    const rows = points.flatMap((one): ResultRow[] => {
      const outcome = outcomes.get(one.key);
      return outcome === undefined ? [] : [{ ...one, outcome }];
    });
    const files = await writeResults(folder, design, rows, journal);
    return { scenario, folder, design, total: points.length, cached, counts: countsOf(rows), rows, files, interrupted };
  } finally {
    await close();
  }
}

/** Rows by status. */
function countsOf(rows: readonly ResultRow[]): Record<JobStatus, number> {
  const counts = { done: 0, infeasible: 0, invalid: 0, failed: 0 };
  for (const { outcome } of rows) counts[outcome.status] += 1;
  return counts;
}

/** Configurations that are tried before a design is refused, spread over it: a wrong path is wrong in all of them. */
const triedMax = 256;
/** Multiples of it, without their whole parts, fill the unit interval evenly, in step with no number of values. */
const goldenRatio = 1.618033988749895;

/**
 * The name of the scenario. Throws InvalidInputError, with what is wrong with the first configuration, where none that is tried is a
 * scenario; what is wrong with some stands in their rows.
 */
async function checkFirst(base: JobBase, design: Design): Promise<string> {
  let first: unknown = null;
  const count = pointCount(design);
  const tried = new Set(
    Array.from({ length: triedMax }, (_, i) => (count <= triedMax ? i : Math.floor(((i * goldenRatio) % 1) * count))),
  );
  let point = -1;
  for (const values of pointsOf(design)) {
    if (!tried.has(++point)) continue;
    try {
      return (await scenarioOf(base, values.map(settingText))).name;
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** Settings of the configurations of a design; what is sampled names no file. */
function* jobsIn({ cases, matrix }: Design): Generator<readonly string[], void, void> {
  for (const values of pointsOf({ cases, matrix, sample: null })) yield values.map(settingText);
}
