import { InvalidInputError, refuse } from "../../core/errors.ts";
import { canonicalJson } from "../../core/json.ts";
import { pointCount } from "../design/design.ts";
import type { Outcome } from "../job/job.ts";
import { readJournal } from "../journal/journal.ts";
import { journalOf, newManifest, openSweepFolder, readManifest, rowsOf, writeResults } from "./sweep-folder.ts";

/** What a merge came to. */
export interface MergeResult {
  readonly rows: number;
  /** Configurations of the design that no folder has an outcome of. */
  readonly missing: number;
}

/**
 * Puts the results of folders of one sweep, its shards mostly, into one. An outcome that several have is taken once; two that differ
 * are refused, as the same configuration has the same outcome everywhere. Throws InvalidInputError for folders of different sweeps.
 */
export async function mergeSweeps(target: string, folders: readonly string[]): Promise<MergeResult> {
  const manifests = await Promise.all(folders.map(readManifest));
  const [first] = manifests;
  if (first === undefined) throw new InvalidInputError([{ expected: "folders to merge", found: "none" }]);
  const { scenario, keys, design } = first;
  const same = canonicalJson([keys, design]);
  for (const [i, other] of manifests.entries())
    if (canonicalJson([other.keys, other.design]) !== same)
      refuse({ file: folders[i]!, expected: `a part of the sweep in ${folders[0]}`, found: "another sweep" });
  const outcomes = new Map<string, Outcome>();
  const { journal, close } = await openSweepFolder(target, newManifest({ scenario, keys, design, shard: null }));
  try {
    for (const [key, outcome] of journal.before) outcomes.set(key, outcome);
    const added: [string, Outcome][] = [];
    for (const folder of folders)
      for (const [key, outcome] of await readJournal(journalOf(folder))) {
        const there = outcomes.get(key);
        if (there === undefined) {
          outcomes.set(key, outcome);
          added.push([key, outcome]);
        } else if (canonicalJson(there) !== canonicalJson(outcome))
          refuse({ file: journalOf(folder), at: key, expected: "the outcome that another folder has", found: outcome });
      }
    await Promise.all(added.map(([key, outcome]) => journal.append(key, outcome)));
    const rows = rowsOf({ design, keys }, outcomes);
    await writeResults(target, design, rows, journal);
    return { rows: rows.length, missing: pointCount(design) - rows.length };
  } finally {
    await close();
  }
}
