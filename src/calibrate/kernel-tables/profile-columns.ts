import { dirname, join } from "node:path";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readTextIfThere } from "../../files/read-input.ts";

/** What a description beside a table says of all its rows, by the names it uses. */
const described = ["gpu", "vllm_version", "model"] as const;

/**
 * Columns that the `meta.yaml` beside a table stands for: layer profiles of LLMServingSim name device, engine version
 * and model there and not in their rows. None where there is no such file.
 */
export async function profileColumns(file: string): Promise<Readonly<Record<string, string>>> {
  const text = (await readTextIfThere(join(dirname(file), "meta.yaml"), inputBytesMax.tableDescription)) ?? "";
  const columns: Record<string, string> = {};
  for (const name of described) {
    // Keys at the start of a line only: nested blocks repeat some of them.
    const value = new RegExp(`^${name}:[ \\t]*(.+?)[ \\t]*$`, "m").exec(text)?.[1]?.replace(/^(["'])(.*)\1$/, "$2");
    if (value !== undefined) columns[name] = value;
  }
  return columns;
}
