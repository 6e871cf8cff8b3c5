import { InvalidInputError } from "../../core/errors.ts";
import { parseScenario } from "../../scenario/parse-scenario.ts";
import { type AxisValue, type Design, pointsOf, settingText } from "../design/design.ts";
import type { Executor } from "../execute/executor.ts";
import type { Job, JobBase, JobStatus, Outcome } from "../job/job.ts";
import { jobKey, keyParts } from "../job/job-keys.ts";
import type { ResultRow } from "../results/result-table.ts";
import { inShard, type Shard } from "./shard.ts";
import { newManifest, openSweepFolder, rowsOf, writeResults } from "./sweep-folder.ts";

export interface SweepRequest {
  readonly base: JobBase;
  readonly design: Design;
  readonly folder: string;
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
export async function runSweep({ base, design, folder, shard }: SweepRequest, deps: SweepDeps): Promise<SweepResult> {
  const { executor, signal, onProgress } = deps;
  const scenario = checkFirst(base, design);
  const keys = await keyParts(base, settingsIn(design));
  const { journal, close } = await openSweepFolder(folder, newManifest({ scenario, keys, design, shard }));
  try {
    const outcomes = new Map<string, Outcome>();
    const jobs: Job[] = [];
    // Two configurations that are the same are run once.
    const asked = new Set<string>();
    let total = 0;
    let point = 0;
    for (const values of pointsOf(design)) {
      if (!inShard(shard, point++)) continue;
      total += 1;
      const settings = values.map(settingText);
      const key = jobKey(keys, settings);
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
    const rows = rowsOf({ design, keys }, outcomes);
    const files = await writeResults(folder, design, rows);
    return { scenario, folder, design, total, cached, counts: countsOf(rows), rows, files, interrupted };
  } finally {
    await close();
  }
}

/** Rows by status. */
export function countsOf(rows: readonly ResultRow[]): Record<JobStatus, number> {
  const counts = { done: 0, infeasible: 0, invalid: 0, failed: 0 };
  for (const { outcome } of rows) counts[outcome.status] += 1;
  return counts;
}

/** Configurations that are tried before a design is refused: a wrong path is wrong in all of them. */
const triedMax = 256;

/**
 * The name of the scenario. Throws InvalidInputError, with what is wrong with the first configuration, where none of the first ones
 * is a scenario; what is wrong with some stands in their rows.
 */
function checkFirst(base: JobBase, design: Design): string {
  let first: unknown = null;
  let tried = 0;
  for (const values of pointsOf(design)) {
    try {
      return parseScenario(base.text, base.file, {
        settings: [...base.settings, ...values.map(settingText)],
        params: base.params,
      }).name;
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      first ??= error;
      if (++tried >= triedMax) break;
    }
  }
  throw first;
}

/** Every setting of a design. */
function* settingsIn({ cases, matrix }: Design): Generator<string, void, void> {
  const all: Iterable<AxisValue>[] = [
    ...cases,
    ...matrix.map(({ path, texts }) => texts.map((text) => ({ path, text }))),
  ];
  for (const values of all) for (const value of values) yield settingText(value);
}
