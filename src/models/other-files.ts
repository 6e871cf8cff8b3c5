import { refuse } from "../core/errors.ts";
import { aliases, nestingKeys } from "./aliases.ts";
import type { JsonObject } from "./json-object.ts";

/** A file that lies beside a config.json and is taken for it. */
interface OtherFile {
  readonly what: string;
  readonly hint: (content: JsonObject) => string;
  /** Keys of which one is in the file. */
  readonly keys: readonly string[];
}

const beside = () => "config.json is the file beside it";

const otherFiles: readonly OtherFile[] = [
  {
    what: "the configuration of an adapter (LoRA)",
    keys: ["peft_type", "lora_alpha"],
    hint: (content) => adapterHint(content["base_model_name_or_path"]),
  },
  { what: "an index of weight files", keys: ["weight_map"], hint: beside },
  {
    what: "a tokenizer's configuration",
    keys: ["tokenizer_class", "added_tokens_decoder", "chat_template"],
    hint: beside,
  },
  { what: "a tokenizer", keys: ["added_tokens", "pre_tokenizer"], hint: beside },
  {
    what: "a processor's configuration",
    keys: ["image_processor_type", "feature_extractor_type", "processor_class"],
    hint: beside,
  },
  { what: "generation defaults", keys: ["temperature", "top_p", "do_sample"], hint: beside },
  { what: "the quantisation beside a config.json", keys: ["producer"], hint: () => "give the folder of both files" },
  {
    what: "the configuration of a diffusion pipeline",
    keys: ["_class_name", "_diffusers_version"],
    hint: () => "moecast forecasts language models",
  },
];

/** What to do about an adapter, which has no shape of its own. */
export const adapterHint = (base: unknown): string =>
  typeof base === "string" && base !== ""
    ? `an adapter has no shape of its own: give the folder of its base model, ${base}`
    : "an adapter has no shape of its own: give the folder of its base model";

const shapes = [...aliases.hiddenSize, ...aliases.layerCount, ...nestingKeys, "model_type", "architectures"];

/** Refuses a file that is known to be another one, by its keys, in words of its own. */
export function refuseOtherFile(content: JsonObject, file: string): void {
  if (shapes.some((key) => key in content)) return;
  const other = otherFiles.find(({ keys }) => keys.some((key) => key in content));
  if (other !== undefined)
    refuse({ file, expected: "a model's config.json", found: other.what, hint: other.hint(content) });
}
