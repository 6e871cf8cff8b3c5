import { makeFolder as makeFolders } from "../../files/folders.ts";
import { writeOutput, writing } from "../../files/write-output.ts";

/** Makes a folder and those above it. Throws OutputError where that is refused. */
export const makeFolder = (folder: string): Promise<void> => writing(folder, () => makeFolders(folder));

/** Writes a text as a whole. */
export const writeText = (path: string, text: string): Promise<void> =>
  writeOutput(path, (output) => output.append(text));
