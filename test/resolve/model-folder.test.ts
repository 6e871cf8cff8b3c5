import { describe, expect, test } from "vitest";
import type { FileReader } from "../../src/resolve/file-reader.ts";
import { readModel } from "../../src/resolve/read-model.ts";
import { mixtral } from "../models/configs.ts";

const config = JSON.stringify(mixtral);

/** A reader of files by path; folders are those that files lie in. */
function readerOf(files: Readonly<Record<string, string>>, empty: readonly string[] = []): FileReader {
  const paths = Object.keys(files);
  const within = (folder: string) => paths.filter((path) => path.startsWith(`${folder}/`));
  return {
    readText: (path) => Promise.resolve(files[path] ?? ""),
    whatIs: (path) =>
      Promise.resolve(path in files ? "file" : within(path).length > 0 || empty.includes(path) ? "folder" : "nothing"),
    list: (path) =>
      Promise.resolve([...new Set(within(path).map((name) => name.slice(path.length + 1).split("/")[0]!))]),
  };
}

const refusalOf = async (
  files: Readonly<Record<string, string>>,
  path: string,
  empty?: readonly string[],
): Promise<string> => {
  const error: unknown = await readModel(readerOf(files, empty), path).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof Error ? error.message : "read";
};

describe("a folder", () => {
  test("with params.json alone is read, and config.json goes before it", async () => {
    const params = JSON.stringify({ dim: 64, n_layers: 2, n_heads: 4, hidden_dim: 32, vocab_size: 100 });
    expect((await readModel(readerOf({ "m/params.json": params }), "m")).spec.layers).toHaveLength(2);
    const both = await readModel(readerOf({ "m/params.json": params, "m/config.json": config }), "m");
    expect(both.spec.layers).toHaveLength(4);
    expect(both.files.map(({ file }) => file)).toEqual(["m/config.json"]);
  });

  test("of an adapter names the base model", async () => {
    const adapter = JSON.stringify({ peft_type: "LORA", r: 8, base_model_name_or_path: "acme/base" });
    const files = { "m/adapter_config.json": adapter, "m/tokenizer_config.json": "{}" };
    expect(await refusalOf(files, "m")).toMatch(/found "an adapter \(LoRA\)" \(.*base model, acme\/base\)$/);
    expect(await refusalOf(files, "m/adapter_config.json")).toMatch(/adapter.*base model, acme\/base\)$/);
  });

  test("around models names them", async () => {
    expect(await refusalOf({ "m/a/config.json": config }, "m")).toMatch(/\(did you mean m\/a\?\)$/);
    expect(await refusalOf({ "m/snapshots/0a1/config.json": config }, "m")).toMatch(
      /\(did you mean m\/snapshots\/0a1\?\)$/,
    );
    const several = await refusalOf({ "m/a/config.json": config, "m/b/params.json": "{}" }, "m");
    expect(several).toMatch(/found "2 of them inside" \(name one\)\n {2}m\/a, m\/b$/);
  });

  test("of GGUF files names them, once each, and is not read as the config.json beside them says", async () => {
    expect(await refusalOf({ "m/a-Q4_K_M.gguf": "" }, "m")).toMatch(
      /a GGUF file" \(did you mean m\/a-Q4_K_M\.gguf\?\)$/,
    );
    const parts = { "m/a-00001-of-00002.gguf": "", "m/a-00002-of-00002.gguf": "", "m/mmproj-a.gguf": "" };
    expect(await refusalOf(parts, "m")).toMatch(/\(did you mean m\/a-00001-of-00002\.gguf\?\)$/);
    expect(await refusalOf({ "m/a-Q4_0.gguf": "", "m/a-Q8_0.gguf": "" }, "m")).toMatch(
      /found "GGUF files" \(name one\)\n {2}m\/a-Q4_0\.gguf, m\/a-Q8_0\.gguf$/,
    );
    const both = { "m/config.json": config, "m/a-Q4_0.gguf": "" };
    expect(await refusalOf(both, "m")).toMatch(
      /the weights that its config\.json describes.*\n {2}m\/config\.json, m\/a-/,
    );
    expect(await refusalOf({ ...both, "m/model.safetensors": "" }, "m")).toBe("read");
    expect(await refusalOf({ "m/config.json": config, "m/imatrix.gguf": "" }, "m")).toBe("read");
  });

  test("of configurations under other names lists them, not what lies beside one", async () => {
    const files = { "m/big.json": config, "m/small.json": config, "m/tokenizer_config.json": "{}" };
    expect(await refusalOf(files, "m")).toMatch(
      /found "JSON files of other names" \(name one\)\n {2}big\.json, small\.json$/,
    );
    expect(await refusalOf({ "m/tokenizer_config.json": "{}" }, "m")).toMatch(
      /found "other files"\n {2}tokenizer_config\.json$/,
    );
    expect(await refusalOf({}, "m", ["m"])).toMatch(/found "an empty folder"$/);
  });

  test("of a diffusion pipeline is none of a language model", async () => {
    expect(await refusalOf({ "m/model_index.json": "{}" }, "m")).toMatch(/found "a diffusion pipeline"/);
  });
});

test("what does not exist is not downloaded", async () => {
  expect(await refusalOf({}, "acme/model")).toMatch(
    /expected a file or folder that exists \(nothing is downloaded: .*config\.json/,
  );
  expect(await refusalOf({}, "acme/config.json")).toBe("acme/config.json: expected a file or folder that exists");
});

describe("a file taken for a config.json", () => {
  test.each([
    ["a tokenizer's configuration", { tokenizer_class: "LlamaTokenizer", model_max_length: 4096 }],
    ["a tokenizer", { version: "1.0", added_tokens: [], model: { type: "BPE" } }],
    ["generation defaults", { temperature: 0.7, top_p: 0.9, eos_token_id: 2 }],
    ["an index of weight files", { metadata: {}, weight_map: {} }],
    ["a processor's configuration", { image_processor_type: "X" }],
    ["the quantisation beside a config.json", { producer: { name: "modelopt" }, quantization: { quant_algo: "FP8" } }],
    ["the configuration of a diffusion pipeline", { _class_name: "FluxPipeline", _diffusers_version: "0.3" }],
  ])("%s", async (what, content) => {
    expect(await refusalOf({ "m/x.json": JSON.stringify(content) }, "m/x.json")).toContain(
      `expected a model's config.json, found ${JSON.stringify(what)}`,
    );
  });

  test("a config.json that holds the same keys is read", async () => {
    const files = { "m/config.json": JSON.stringify({ ...mixtral, temperature: 1, tokenizer_class: "X" }) };
    expect(await refusalOf(files, "m/config.json")).toBe("read");
  });
});
