import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError, refuse } from "../../core/errors.ts";
import { lockFolder } from "../../files/folder-lock.ts";
import { makeFolder } from "../../files/folders.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readTextIfThere } from "../../files/read-input.ts";
import { replaceDurably } from "./durable.ts";
import { type Journal, journalText, parseJournal } from "./journal.ts";

/** The folder a recording keeps its unfinished work in, locked by this process. */
export interface WorkFolder {
  readonly path: string;
  /** The journal as it was found or last saved. */
  readonly journal: Journal;
  file(name: string): string;
  save(journal: Journal): Promise<void>;
  /** Removes what the recording wrote, and the folder if nothing else is in it. */
  remove(): Promise<void>;
  /** Lets go of the folder and keeps what is in it. */
  release(): Promise<void>;
}

const journalName = "journal.json";
const lockName = "lock";
/** Names of what a recording writes; nothing else in the folder is ever touched. */
const ownName = /^(journal\.json(\.new)?|lock|states-[01]|decoded-\d+|layer-\d+\.(experts|weights|scores))$/;

/**
 * Opens the work folder of a recording. A journal there of the same inputs is taken up; one of other inputs is refused
 * with what differs, unless `restart` throws it away.
 */
export async function openWorkFolder(path: string, begin: Pick<Journal, "inputs" | "startedAt">, restart: boolean) {
  await makeFolder(path).catch((error: Error) =>
    refuse({ file: path, expected: "a folder for unfinished work", hint: error.message }),
  );
  await refuseOthersFiles(path);
  const lock = await lockFolder(join(path, lockName), "recording");
  const file = (name: string) => join(path, name);
  try {
    const found = restart ? null : await readJournal(file(journalName));
    if (found === null) await removeOwnFiles(path, [lockName]);
    else refuseOtherInputs(found.inputs, begin.inputs, path);
    let journal: Journal = found ?? { ...begin, decoded: [], states: null, layers: [] };
    const folder: WorkFolder = {
      path,
      get journal() {
        return journal;
      },
      file,
      async save(next) {
        await replaceDurably(file(journalName), journalText(next));
        journal = next;
      },
      async remove() {
        // Without its journal the rest counts for nothing, whenever the process is killed.
        await rm(file(journalName), { force: true });
        await removeOwnFiles(path, []);
        await rmdir(path).catch(() => {});
      },
      release: () => lock.release(),
    };
    if (found === null) await folder.save(journal);
    return folder;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function readJournal(path: string): Promise<Journal | null> {
  const text = await readTextIfThere(path, inputBytesMax.journal);
  return text === null ? null : parseJournal(text, path);
}

function refuseOtherInputs(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
  folder: string,
): void {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const problems = names
    .filter((name) => before[name] !== now[name])
    .map((name) => ({
      file: folder,
      at: name,
      expected: `${before[name] ?? "none"}, as when the recording was begun`,
      found: now[name] ?? "none",
      hint: "give the same to go on, --restart to begin anew, or another --work",
    }));
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** A folder with anything else in it was not made for a recording. */
async function refuseOthersFiles(path: string): Promise<void> {
  const other = (await readdir(path)).find((name) => !ownName.test(name) && !name.startsWith(`${lockName}.`));
  if (other !== undefined)
    refuse({ file: path, expected: "an empty folder, or the work folder of a recording", found: other });
}

async function removeOwnFiles(path: string, except: readonly string[]): Promise<void> {
  for (const name of await readdir(path))
    if (ownName.test(name) && !except.includes(name)) await rm(join(path, name), { force: true });
}
