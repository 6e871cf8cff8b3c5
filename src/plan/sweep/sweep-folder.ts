import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Problem, refuse } from "../../core/errors.ts";
import { canonicalJson, jsonDocument, parseJson } from "../../core/json.ts";
import { version } from "../../core/version.ts";
import { lockFolder } from "../../files/folder-lock.ts";
import { readText } from "../../files/read-input.ts";
import { writeOutput, writing } from "../../files/write-output.ts";
import { type Design, pathsOf, pointsOf, settingText } from "../design/design.ts";
import type { Outcome } from "../job/job.ts";
import { jobKey, type KeyParts } from "../job/job-keys.ts";
import { Journal } from "../journal/journal.ts";
import { resultFormats } from "../results/result-formats.ts";
import { type ResultRow, resultColumns } from "../results/result-table.ts";
import type { Shard } from "./shard.ts";

/** What a folder of results is of: enough to tell every configuration and its key without the inputs. */
export interface SweepManifest {
  readonly kind: "moecast-sweep";
  readonly schemaVersion: 1;
  readonly moecastVersion: string;
  readonly scenario: string;
  readonly keys: KeyParts;
  readonly design: Design;
  /** The part of the configurations that is run here; null: all. */
  readonly shard: Shard | null;
}

const manifestName = "sweep.json";
const journalName = "journal.jsonl";
const manifestBytesMax = 256 * 2 ** 20;

export const newManifest = (parts: Pick<SweepManifest, "scenario" | "keys" | "design" | "shard">): SweepManifest => ({
  kind: "moecast-sweep",
  schemaVersion: 1,
  moecastVersion: version,
  ...parts,
});

/** The manifest of a folder. Throws InvalidInputError where there is none, and InvalidInputError for one of another version or kind. */
export async function readManifest(folder: string): Promise<SweepManifest> {
  const file = join(folder, manifestName);
  const value = parseJson(await readText(file, manifestBytesMax), file) as unknown as Partial<SweepManifest>;
  const problem = (expected: string, found: unknown, hint?: string): Problem => ({
    file,
    expected,
    found,
    ...(hint === undefined ? {} : { hint }),
  });
  if (value.kind !== "moecast-sweep" || value.schemaVersion !== 1)
    refuse(problem("a sweep that moecast wrote, of version 1", [value.kind, value.schemaVersion]));
  if (value.moecastVersion !== version)
    refuse(
      problem(`a sweep of moecast ${version}`, value.moecastVersion, "results of another version mean something else"),
    );
  return value as SweepManifest;
}

/** A folder that results go to: one process at a time. */
export interface SweepFolder {
  readonly journal: Journal;
  close(): Promise<void>;
}

/**
 * Opens the folder of a sweep, or makes it. Throws InvalidInputError where it holds another sweep, where another process uses it, and
 * for results of another version; OutputError for what cannot be written.
 */
export async function openSweepFolder(folder: string, manifest: SweepManifest): Promise<SweepFolder> {
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const lock = await lockFolder(join(folder, "lock"), "sweep");
  try {
    const file = join(folder, manifestName);
    const there = (await stat(file).catch(() => null)) === null ? null : await readManifest(folder);
    if (there !== null && canonicalJson(there) !== canonicalJson(manifest))
      refuse({
        file,
        expected: "this sweep",
        found: differenceOf(there, manifest),
        hint: "results of one sweep lie in one folder: give another one with -o",
      });
    if (there === null) await writeOutput(file, (output) => output.append(jsonDocument(manifest)));
    const journal = await Journal.open(join(folder, journalName));
    return {
      journal,
      close: async () => {
        await journal.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The journal of a folder. */
export const journalOf = (folder: string): string => join(folder, journalName);

/** The rows of a sweep that have an outcome, in the order of the design. */
export function rowsOf(
  { design, keys }: Pick<SweepManifest, "design" | "keys">,
  outcomes: ReadonlyMap<string, Outcome>,
): ResultRow[] {
  const rows: ResultRow[] = [];
  let point = 0;
  for (const values of pointsOf(design)) {
    const key = jobKey(keys, values.map(settingText));
    const outcome = outcomes.get(key);
    if (outcome !== undefined) rows.push({ point, key, values, outcome });
    point += 1;
  }
  return rows;
}

/** Writes the tables of a sweep. */
export async function writeResults(folder: string, design: Design, rows: readonly ResultRow[]): Promise<string[]> {
  const columns = resultColumns(design, rows);
  const written: string[] = [];
  for (const [name, render] of Object.entries(resultFormats)) {
    const content = await render(columns);
    const path = join(folder, name);
    await writeOutput(path, (output) => output.append(content));
    written.push(path);
  }
  return written;
}

function differenceOf(there: SweepManifest, wanted: SweepManifest): string {
  if (there.keys.base !== wanted.keys.base) return `one of ${there.scenario}, or of other inputs or settings`;
  if (canonicalJson(there.shard) !== canonicalJson(wanted.shard)) return "another shard of it";
  return `another design, over ${pathsOf(there.design).join(", ")}`;
}
