import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadTokenizer } from "../../../src/capture/tokens/load-tokenizer.ts";

const root = mkdtempSync(join(tmpdir(), "moecast-tokenizer-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Byte-pair encoding over words split at spaces; `constructor` is a token that no prototype may shadow. */
const vocabulary = { "<unk>": 0, a: 1, b: 2, c: 3, ab: 4, abc: 5, Ġ: 6, Ġa: 7, constructor: 8 };

const definition = {
  version: "1.0",
  added_tokens: [
    { id: 9, content: "<s>", special: true, normalized: false, single_word: false, lstrip: false, rstrip: false },
    { id: 10, content: "</s>", special: true, normalized: false, single_word: false, lstrip: false, rstrip: false },
  ],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null as object | null,
  decoder: { type: "ByteLevel" },
  model: {
    type: "BPE",
    unk_token: "<unk>" as string | null,
    vocab: vocabulary,
    merges: [
      ["a", "b"],
      ["ab", "c"],
      ["Ġ", "a"],
    ],
  },
};

const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
const template = {
  type: "TemplateProcessing",
  single: [special("<s>"), { Sequence: { id: "A", type_id: 0 } }, special("</s>")],
  pair: [],
  special_tokens: {
    "<s>": { id: "<s>", ids: [9], tokens: ["<s>"] },
    "</s>": { id: "</s>", ids: [10], tokens: ["</s>"] },
  },
};

let folders = 0;
function folderWith(tokenizer: object | string, settings?: object): string {
  const folder = mkdtempSync(join(root, `${folders++}-`));
  const text = typeof tokenizer === "string" ? tokenizer : JSON.stringify(tokenizer);
  writeFileSync(join(folder, "tokenizer.json"), text);
  if (settings !== undefined) writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(settings));
  return folder;
}

test("text becomes the ids of its merges, special tokens in it included", async () => {
  const tokenizer = await loadTokenizer(folderWith(definition), 11);
  expect([...tokenizer.encode("abcab acb")]).toEqual([5, 4, 7, 3, 2]);
  expect([...tokenizer.encode("a</s>b")]).toEqual([1, 10, 2]);
  expect([...tokenizer.encode("")]).toEqual([]);
});

describe("the prefix of every text", () => {
  const prefixOf = async (tokenizer: object, settings?: object) =>
    (await loadTokenizer(folderWith(tokenizer, settings), 11)).prefix;

  test("is what the post-processor puts before it; what it puts after is left out", async () => {
    expect(await prefixOf(definition)).toEqual([]);
    const folder = folderWith({ ...definition, post_processor: template });
    const tokenizer = await loadTokenizer(folder, 11);
    expect(tokenizer.prefix).toEqual([9]);
    expect([...tokenizer.encode("ab")]).toEqual([4]);
  });

  test("is the beginning-of-text token where add_bos_token asks for one, named in either form", async () => {
    expect(await prefixOf(definition, { add_bos_token: true, bos_token: "<s>" })).toEqual([9]);
    expect(await prefixOf(definition, { add_bos_token: true, bos_token: { content: "<s>" } })).toEqual([9]);
    expect(
      await prefixOf({ ...definition, post_processor: template }, { add_bos_token: true, bos_token: "<s>" }),
    ).toEqual([9]);
  });

  test("is nothing where add_bos_token is false", async () => {
    expect(await prefixOf({ ...definition, post_processor: template }, { add_bos_token: false })).toEqual([]);
  });

  test("cannot be a token that the vocabulary lacks", async () => {
    await expect(prefixOf(definition, { add_bos_token: true, bos_token: "<bos>" })).rejects.toThrow(
      /tokenizer_config\.json: bos_token: expected a token of the vocabulary, as add_bos_token is true, found "<bos>"/,
    );
  });
});

describe("refused:", () => {
  test("a folder without tokenizer.json, with the way around it", async () => {
    await expect(loadTokenizer(root, 11)).rejects.toThrow(
      /tokenizer\.json: expected a tokenizer, found "no such file" \(--ids takes/,
    );
  });

  test("a tokenizer with an id beyond the model's vocabulary", async () => {
    await expect(loadTokenizer(folderWith(definition), 10)).rejects.toThrow(
      /tokenizer\.json: vocabulary: expected ids from 0 to 9, the model's vocabulary, found 10/,
    );
  });

  test("a file that is no JSON, no object or no tokenizer", async () => {
    await expect(loadTokenizer(folderWith("{"), 11)).rejects.toThrow(/tokenizer\.json: expected valid JSON/);
    await expect(loadTokenizer(folderWith("[]"), 11)).rejects.toThrow(/tokenizer\.json: expected a JSON object/);
    const unknown = { ...definition, model: { type: "Guess", vocab: {} } };
    await expect(loadTokenizer(folderWith(unknown), 11)).rejects.toThrow(
      /model\.type: expected one of BPE, Unigram, WordPiece, found "Guess"/,
    );
    await expect(loadTokenizer(folderWith("{}"), 11)).rejects.toThrow(/model\.type: .*found nothing/);
    const pieces = { ...definition, pre_tokenizer: { type: "Guess" } };
    await expect(loadTokenizer(folderWith(pieces), 11)).rejects.toThrow(/a tokenizer that .* builds .*Guess/);
  });

  test("text with a piece that has no token and no stand-in", async () => {
    const model = {
      type: "WordPiece",
      vocab: { ab: 1, "##c": 2 },
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
    };
    const folder = folderWith({ ...definition, pre_tokenizer: { type: "WhitespaceSplit" }, model });
    const tokenizer = await loadTokenizer(folder, 11);
    expect([...tokenizer.encode("abc ab")]).toEqual([1, 2, 1]);
    expect(() => tokenizer.encode("ab x")).toThrow(
      /vocabulary: expected a token for every piece of text, found "\[UNK\]"/,
    );
  });
});
