import { OutputError } from "../../core/errors.ts";
import { exists } from "../../files/read-input.ts";
import { writeOutput } from "../../files/write-output.ts";

/** Writes a file under a name that was typed. What has that name stays: throws OutputError, as it does where nothing can be written. */
export async function writeNew(path: string, text: string): Promise<void> {
  if (await exists(path))
    throw new OutputError(path, "it is there already, and nothing is overwritten: type another name");
  await writeOutput(path, (output) => output.append(text));
}
