import { rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { OutputError, UsageError } from "../../core/errors.ts";
import { makeFolder } from "../../files/folders.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readTextIfThere } from "../../files/read-input.ts";
import { writeOutput, writing } from "../../files/write-output.ts";
import type { NewFile } from "./template.ts";

/** Refuses to write over what is there, unless it is asked for; a folder in the place of a file in any case. */
export async function refuseTaken(
  folder: string,
  files: readonly Pick<NewFile, "path">[],
  force: boolean,
): Promise<void> {
  const taken: string[] = [];
  for (const { path } of files) {
    const there = await stat(join(folder, path)).catch(() => null);
    if (there?.isDirectory() === true) throw new OutputError(join(folder, path), "it is a folder");
    if (there !== null) taken.push(join(folder, path));
  }
  if (taken.length > 0 && !force)
    throw new UsageError(taken.map((path) => `${path} is there already (--force replaces it, --name chooses another)`));
}

/** Writes all files, or leaves everything as it was: what was there comes back, folders that were made go. */
export async function writeTogether(folder: string, files: readonly NewFile[]): Promise<void> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    for (const { path, text } of files) {
      const target = join(folder, path);
      await writing(target, async () => {
        for (const made of await missingFolders(dirname(resolve(target)))) undo.push(() => rmdir(made));
        await makeFolder(dirname(resolve(target)));
      });
      const before = await readTextIfThere(target, inputBytesMax.text);
      undo.push(() =>
        before === null ? rm(target, { force: true }) : writeOutput(target, (out) => out.append(before)),
      );
      await writeOutput(target, (output) => output.append(text));
    }
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {});
    throw error;
  }
}

/** Folders on the way to one that do not exist, the outermost first. */
async function missingFolders(path: string): Promise<string[]> {
  if ((await stat(path).catch(() => null)) !== null || dirname(path) === path) return [];
  return [...(await missingFolders(dirname(path))), path];
}
