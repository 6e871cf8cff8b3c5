import { join } from "node:path";
import { refuse } from "../../core/errors.ts";
import { checkJsonMemory } from "../../core/json-memory.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readTextIfThere } from "../../files/read-input.ts";

/** The tokenizer of a checkpoint. */
export interface Tokenizer {
  /**
   * Ids of a text, without {@link Tokenizer.prefix}. Special tokens that the text spells out become their ids. Takes time
   * in proportion to the text.
   */
  encode(text: string): Uint32Array;
  /**
   * Ids that the tokenizer puts before every text: what its post-processor puts there, or the beginning-of-text token
   * where `add_bos_token` in tokenizer_config.json says so, or nothing where that is false. What it would put after a text
   * is left out, as a text that is recorded has no end.
   */
  readonly prefix: readonly number[];
}

/** What is used of the library's tokenizer, whose own types do not resolve in a module of Node. */
interface Library {
  encode(text: string, options?: { readonly add_special_tokens: boolean }): Encoding;
  token_to_id(token: string): number | undefined;
  get_vocab(): Map<string, number>;
}

interface Encoding {
  /** Without an unknown token, a token that the vocabulary lacks has none. */
  readonly ids: readonly (number | undefined)[];
  readonly tokens: readonly string[];
}

const fileName = "tokenizer.json";
const settingsName = "tokenizer_config.json";

/**
 * Loads `tokenizer.json` of a checkpoint folder, with `tokenizer_config.json` where there is one. Refuses a tokenizer with
 * ids that a model of `vocabSize` has no embedding for.
 */
export async function loadTokenizer(folder: string, vocabSize: number): Promise<Tokenizer> {
  const file = join(folder, fileName);
  const definition = await readJson(file);
  if (definition === null)
    refuse({
      file,
      expected: "a tokenizer",
      found: "no such file",
      hint: "--ids takes text that is already token ids",
    });
  const settings = (await readJson(join(folder, settingsName))) ?? {};
  const library = await build(definition, settings, file);
  const largest = [...library.get_vocab().values()].reduce((most, id) => Math.max(most, id), -1);
  if (largest < 0 || largest >= vocabSize)
    refuse({
      file,
      at: "vocabulary",
      expected: `ids from 0 to ${vocabSize - 1}, the model's vocabulary`,
      found: largest,
    });
  const encode = (text: string) => encodeWith(library, text, file);
  return { encode, prefix: prefixOf(library, settings, join(folder, settingsName)) };
}

function encodeWith(library: Library, text: string, file: string): Uint32Array {
  const { ids, tokens } = library.encode(text, { add_special_tokens: false });
  return Uint32Array.from(
    ids,
    (id, i) => id ?? refuse({ file, at: "vocabulary", expected: "a token for every piece of text", found: tokens[i] }),
  );
}

function prefixOf(library: Library, settings: Settings, settingsFile: string): readonly number[] {
  const adds = settings["add_bos_token"];
  if (adds === false) return [];
  const plain = library.encode("a", { add_special_tokens: false }).ids;
  const whole = library.encode("a").ids;
  const before = whole.findIndex((_id, from) => plain.every((id, i) => whole[from + i] === id));
  if (before > 0) return whole.slice(0, before).filter((id) => id !== undefined);
  if (adds !== true) return [];
  const named = settings["bos_token"];
  const content = typeof named === "object" && named !== null ? (named as Settings)["content"] : named;
  const id = typeof content === "string" ? library.token_to_id(content) : undefined;
  const expected = "a token of the vocabulary, as add_bos_token is true";
  return [id ?? refuse({ file: settingsFile, at: "bos_token", expected, found: named })];
}

/** Models that the library builds by their name; others it takes for some model without saying so. */
const modelTypes: readonly unknown[] = ["BPE", "Unigram", "WordPiece"];

async function build(definition: Settings, settings: Settings, file: string): Promise<Library> {
  const model = definition["model"] as Settings | undefined;
  if (!modelTypes.includes(model?.["type"]))
    refuse({ file, at: "model.type", expected: `one of ${modelTypes.join(", ")}`, found: model?.["type"] });
  const { Tokenizer: TokenizerOfLibrary } = await import("@huggingface/tokenizers");
  try {
    return new TokenizerOfLibrary(definition, settings) as Library;
  } catch (error) {
    return refuse({
      file,
      expected: "a tokenizer that @huggingface/tokenizers builds",
      hint: (error as Error).message,
    });
  }
}

type Settings = Readonly<Record<string, unknown>>;

/** A JSON object, or null where there is no such file. Vocabularies hold any key, so prototype names are not refused. */
async function readJson(file: string): Promise<Settings | null> {
  const text = await readTextIfThere(file, inputBytesMax.tokenizer);
  if (text === null) return null;
  checkJsonMemory(text, file);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Settings;
    return refuse({ file, expected: "a JSON object", found: value });
  } catch (error) {
    if (error instanceof SyntaxError) refuse({ file, expected: "valid JSON", hint: error.message });
    throw error;
  }
}
