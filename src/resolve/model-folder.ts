import { basename, join } from "node:path";
import { refuse } from "../core/errors.ts";
import { wordLines } from "../core/word-lines.ts";
import { inputBytesMax } from "../files/input-limits.ts";
import { parseConfigText } from "../models/config-text.ts";
import { isObject } from "../models/json-object.ts";
import { adapterHint } from "../models/other-files.ts";
import type { FileReader } from "./file-reader.ts";

/** Files that describe a model, as they are looked for: Hugging Face's before Mistral's. */
const configNames = ["config.json", "params.json"];

/** Files that lie beside a config.json in many checkpoints. */
const besides = /tokenizer|generation|processor|special_tokens|\.index\.json$|quant|vocab|merges|added_tokens/;

/** Weights that a config.json describes. */
const weights = /\.(?:safetensors|bin|pt|pth)$|\.index\.json$/;

/** GGUF files that hold no language model. */
const otherGgufs = /imatrix|mmproj/i;

/** Names that a message lists; a folder may hold any number. */
const namedMax = 20;

/** Folders of a folder that are looked into. */
const foldersMax = 200;

/** The file of a checkpoint's folder that describes the model. Refuses a folder without one by what it holds instead. */
export async function configIn(reader: FileReader, folder: string): Promise<string> {
  const own = await describing(reader, folder);
  const names = [...((await reader.list?.(folder)) ?? [])].sort();
  const ggufs = ggufModels(names);
  if (own !== null && (ggufs.length === 0 || names.some((name) => weights.test(name)))) return own;
  const expected = "a folder with a config.json (or Mistral's params.json)";
  if (ggufs.length > 0) {
    // A config.json beside them is that of the model before it was stored in other formats.
    const choices = [...(own === null ? [] : [own]), ...ggufs.map((name) => join(folder, name))];
    const single = choices.length === 1;
    refuse({
      file: folder,
      expected: own === null ? expected : "the weights that its config.json describes",
      found: ggufs.length === 1 ? "a GGUF file" : "GGUF files",
      hint: single ? `did you mean ${choices[0]}?` : "name one",
      ...(single ? {} : listed(choices)),
    });
  }
  if (names.includes("adapter_config.json"))
    refuse({ file: folder, expected, found: "an adapter (LoRA)", hint: adapterHint(await baseOf(reader, folder)) });
  if (names.includes("model_index.json"))
    refuse({ file: folder, expected, found: "a diffusion pipeline", hint: "moecast forecasts language models" });
  const inside = await modelsInside(reader, folder, names);
  if (inside.length > 0)
    refuse({
      file: folder,
      expected,
      found: inside.length === 1 ? "a folder around one" : `${inside.length} of them inside`,
      hint: inside.length === 1 ? `did you mean ${inside[0]}?` : "name one",
      ...(inside.length === 1 ? {} : listed(inside)),
    });
  const files = names.filter((name) => name.endsWith(".json") && !besides.test(name));
  if (files.length > 0)
    refuse({ file: folder, expected, found: "JSON files of other names", hint: "name one", ...listed(files) });
  refuse({ file: folder, expected, found: names.length === 0 ? "an empty folder" : "other files", ...listed(names) });
}

/** GGUF models of a folder, by the first part of each. */
function ggufModels(names: readonly string[]): readonly string[] {
  return names.filter(
    (name) => /\.gguf$/i.test(name) && !/-(?!00001)\d{5}-of-\d{5}\./.test(name) && !otherGgufs.test(name),
  );
}

async function describing(reader: FileReader, folder: string): Promise<string | null> {
  for (const name of configNames) {
    const file = join(folder, name);
    // A reader that cannot tell what lies where is asked for a config.json.
    if (reader.whatIs === undefined || (await reader.whatIs(file)) === "file") return file;
  }
  return null;
}

/** Folders with a model in a folder, or in the snapshots of a cache of downloads. */
async function modelsInside(reader: FileReader, folder: string, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  const snapshots = names.includes("snapshots") ? ((await reader.list?.(join(folder, "snapshots"))) ?? []) : [];
  const candidates = [...names, ...[...snapshots].sort().map((name) => join("snapshots", name))];
  for (const name of candidates.slice(0, foldersMax)) {
    const inner = join(folder, name);
    if ((await reader.whatIs?.(inner)) === "folder" && (await describing(reader, inner)) !== null) found.push(inner);
  }
  return found;
}

/** The base model that an adapter names, if it does. */
async function baseOf(reader: FileReader, folder: string): Promise<unknown> {
  const file = join(folder, "adapter_config.json");
  const content = parseConfigText(await reader.readText(file, inputBytesMax.modelConfig), basename(file));
  return isObject(content) ? content["base_model_name_or_path"] : undefined;
}

function listed(names: readonly string[]): { readonly below: readonly string[] } {
  const more = names.length > namedMax ? [`and ${names.length - namedMax} more`] : [];
  return { below: [...wordLines(names.slice(0, namedMax)), ...more] };
}
