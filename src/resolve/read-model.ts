import { join } from "node:path";
import type { Json } from "../core/json.ts";
import { inputBytesMax } from "../files/input-limits.ts";
import { parseConfigText } from "../models/config-text.ts";
import { type Resolution, resolveConfig } from "../models/resolve.ts";
import type { FileReader } from "./file-reader.ts";
import { readGguf } from "./read-gguf.ts";

/** A file that a model was read from. */
interface ReadFile {
  readonly file: string;
  readonly text: string;
}

/** What {@link resolveConfig} gives, and the files it came from. */
export type ReadModel = Resolution & { readonly files: readonly ReadFile[] };

/**
 * The model of a Hugging Face `config.json`, of a checkpoint's folder with one, or of a GGUF file. A
 * `hf_quant_config.json` beside it is read too. Throws InvalidInputError.
 */
export async function readModel(reader: FileReader, path: string): Promise<ReadModel> {
  if (/\.gguf$/i.test(path)) return readGguf(path);
  const folder = (await reader.whatIs?.(path)) === "folder";
  const config = await parsed(reader, folder ? join(path, "config.json") : path);
  const beside = join(path, "hf_quant_config.json");
  const quantised = folder && (await reader.whatIs?.(beside)) === "file" ? await parsed(reader, beside) : null;
  const resolution = resolveConfig(config.json, {
    file: config.file,
    ...(quantised === null ? {} : { quantConfig: quantised.json }),
  });
  return { ...resolution, files: quantised === null ? [config] : [config, quantised] };
}

async function parsed(reader: FileReader, file: string): Promise<ReadFile & { readonly json: Json }> {
  const text = await reader.readText(file, inputBytesMax.modelConfig);
  return { file, text, json: parseConfigText(text, file) };
}
