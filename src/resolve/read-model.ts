import { join } from "node:path";
import { refuse } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { inputBytesMax } from "../files/input-limits.ts";
import { fetching } from "../models/catalogue.ts";
import { parseConfigText } from "../models/config-text.ts";
import { type Resolution, resolveConfig } from "../models/resolve.ts";
import type { FileReader } from "./file-reader.ts";
import { configIn } from "./model-folder.ts";
import { readGguf } from "./read-gguf.ts";

/** A file that a model was read from. */
interface ReadFile {
  readonly file: string;
  readonly text: string;
}

/** What {@link resolveConfig} gives, and the files it came from. */
export type ReadModel = Resolution & {
  readonly files: readonly ReadFile[];
  /** The configuration as it was read; absent where it is no JSON. */
  readonly config?: Json;
};

/**
 * The model of a Hugging Face `config.json` or Mistral's `params.json`, of a checkpoint's folder with one, or of a GGUF file. A
 * `hf_quant_config.json` beside it is read too. Throws InvalidInputError; a draft gives what can be read instead.
 */
export async function readModel(
  reader: FileReader,
  path: string,
  { draft = false }: { readonly draft?: boolean } = {},
): Promise<ReadModel> {
  if (/\.gguf$/i.test(path)) return readGguf(path);
  const there = await reader.whatIs?.(path);
  if (there === "nothing")
    refuse({
      file: path,
      expected: "a file or folder that exists",
      ...(path.endsWith(".json") ? {} : { hint: fetching() }),
    });
  const folder = there === "folder";
  const config = await parsed(reader, folder ? await configIn(reader, path) : path);
  const beside = join(path, "hf_quant_config.json");
  const quantised = folder && (await reader.whatIs?.(beside)) === "file" ? await parsed(reader, beside) : null;
  const resolution = resolveConfig(config.json, {
    file: config.file,
    draft,
    ...(quantised === null ? {} : { quantConfig: quantised.json }),
  });
  return { ...resolution, config: config.json, files: quantised === null ? [config] : [config, quantised] };
}

async function parsed(reader: FileReader, file: string): Promise<ReadFile & { readonly json: Json }> {
  const text = await reader.readText(file, inputBytesMax.modelConfig);
  return { file, text, json: parseConfigText(text, file) };
}
