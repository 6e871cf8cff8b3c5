import { rm } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../core/digest.ts";
import { type Problem, refuse } from "../../core/errors.ts";
import { canonicalJson, jsonDocument, parseJson } from "../../core/json.ts";
import { version } from "../../core/version.ts";
import { lockFolder } from "../../files/folder-lock.ts";
import { exists, readText, readTextIfThere } from "../../files/read-input.ts";
import { writeOutput, writing } from "../../files/write-output.ts";
import { type AxisValue, type Design, designDigest, pathsOf, pointsOf, settingText } from "../design/design.ts";
import { makeFolder } from "../files/folder.ts";
import type { Outcome } from "../job/job.ts";
import { jobKey, type KeyParts } from "../job/job-key.ts";
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
/** Length of the journal that the tables were made of. */
const stateName = "tables.state";
const stateBytesMax = 100;
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
  if (typeof value.scenario !== "string" || typeof value.keys?.base !== "string" || !isDesign(value.design))
    refuse(problem("a sweep as moecast wrote it", "another text", "take another folder, or remove this file"));
  return value as SweepManifest;
}

function isDesign(value: unknown): value is Design {
  const { cases, matrix, sample } = { ...(value as Partial<Design> | undefined) };
  const texts = (list: readonly unknown[]) => list.every((one) => typeof one === "string");
  return (
    Array.isArray(cases) &&
    cases.every((one) => Array.isArray(one) && texts(one.flatMap((each: AxisValue) => [each.path, each.text]))) &&
    Array.isArray(matrix) &&
    matrix.every((axis) => texts([axis.path]) && Array.isArray(axis.texts) && texts(axis.texts)) &&
    (sample === null || (typeof sample?.points === "number" && Array.isArray(sample.ranges)))
  );
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
  await makeFolder(folder);
  const lock = await lockFolder(join(folder, "lock"), "sweep");
  try {
    const file = join(folder, manifestName);
    const there = (await exists(file)) ? await readManifest(folder) : null;
    if (there === null) await refuseOthersFiles(folder);
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

/** Writes the tables of a sweep, unless those that are there have all that the journal has. Returns their paths. */
export async function writeResults(
  folder: string,
  design: Design,
  rows: readonly ResultRow[],
  journal: Journal,
): Promise<string[]> {
  const paths = Object.keys(resultFormats).map((name) => join(folder, name));
  const state = join(folder, stateName);
  const current = `${journal.bytes}\n`;
  const there = await Promise.all(paths.map(exists));
  if (there.every(Boolean) && (await readTextIfThere(state, stateBytesMax)) === current) return paths;
  await writing(state, () => rm(state, { force: true }));
  const columns = resultColumns(design, rows);
  for (const [i, render] of Object.values(resultFormats).entries()) {
    const content = await render(columns);
    await writeOutput(paths[i]!, (output) => output.append(content));
  }
  await writeOutput(state, (output) => output.append(current));
  return paths;
}

/** A folder without a manifest is none of a sweep: what lies there under the names of results is somebody's. */
async function refuseOthersFiles(folder: string): Promise<void> {
  for (const name of [journalName, ...Object.keys(resultFormats)]) {
    const file = join(folder, name);
    if (await exists(file))
      refuse({
        file,
        expected: "a folder without such a file, or one of a sweep",
        found: "a file",
        hint: "give another one with -o",
      });
  }
}

/** Where the results of a sweep go unless told otherwise: of one scenario, inputs, version, design and shard. */
export function defaultFolder({ scenario, keys, design, shard }: Parameters<typeof newManifest>[0]): string {
  const name = scenario.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 64);
  const digest = sha256(canonicalJson([keys, designDigest(design)])).slice(0, 8);
  return join("sweeps", `${name}-${digest}${shard === null ? "" : `-${shard.index}-of-${shard.count}`}`);
}

function differenceOf(there: SweepManifest, wanted: SweepManifest): string {
  if (there.keys.base !== wanted.keys.base) return `one of ${there.scenario}, or of other inputs or settings`;
  if (canonicalJson(there.shard) !== canonicalJson(wanted.shard)) return "another shard of it";
  return `another design, over ${pathsOf(there.design).join(", ")}`;
}
