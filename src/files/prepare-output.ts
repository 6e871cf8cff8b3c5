import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { OutputError } from "../core/errors.ts";
import { makeFolder } from "./folders.ts";
import { outputPlace } from "./output-place.ts";
import { regularFile, writing } from "./write-output.ts";

/** What an output needs of its place. */
export interface OutputNeeds {
  /** Make the folder of the output if there is none. */
  readonly mkdir?: boolean;
  /** The format is not written in order, which only a regular file takes. */
  readonly anyOrder?: boolean;
}

/** Makes sure that an output can be written, as far as can be told, before long work on it begins. */
export async function prepareOutput(path: string, needs: OutputNeeds = {}): Promise<void> {
  const place = await outputPlace(path);
  if (needs.anyOrder === true) regularFile(path, place);
  if (place.kind !== "file") return;
  const folder = dirname(place.path);
  const there = await stat(folder).catch(() => null);
  if (there === null && needs.mkdir === true) await writing(path, () => makeFolder(folder));
  else if (there === null) throw new OutputError(path, `there is no folder ${folder} (--mkdir makes it)`);
  else if (!there.isDirectory()) throw new OutputError(path, `${folder} is no folder`);
  await writing(path, () => access(folder, constants.W_OK));
}
