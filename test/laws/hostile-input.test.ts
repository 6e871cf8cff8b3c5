import { readFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { exporters } from "../../src/report/exporters.ts";
import { scratch } from "../cli/command.ts";
import { moecast } from "../cli/in-process.ts";

const { folder, write, path } = scratch();
const small = readFileSync(join(import.meta.dirname, "..", "fixtures", "scenarios", "small.yaml"), "utf8");

/** The small scenario with one part replaced. */
const changed = (from: string, to: string): string => {
  if (!small.includes(from)) throw new Error(`the fixture lacks ${from}`);
  return small.replace(from, to);
};

/** A safetensors file: length, header, then as many bytes of data. */
function safetensors(header: unknown, bytes: number): Uint8Array {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(bytes)]);
}

/** An npy file of a shape, with as many bytes of data. */
function npy(shape: string, bytes: number): Uint8Array {
  const header = `{'descr': '<i2', 'fortran_order': False, 'shape': ${shape}, }`;
  const padded = `${header.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from([padded.length, 0]),
    Buffer.from(padded),
    Buffer.alloc(bytes),
  ]);
}

const config = {
  architectures: ["MixtralForCausalLM"],
  model_type: "mixtral",
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_local_experts: 4,
  num_experts_per_tok: 2,
  vocab_size: 100,
  max_position_embeddings: 128,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
};

const step = (changes: object) =>
  JSON.stringify({
    type: "route",
    req_id: "r",
    token_idx: 0,
    layer: 0,
    topk_ids: [0, 1],
    topk_weights: [0.5, 0.5],
    ...changes,
  });

/** What is wrong, the file that is, the command that reads it, its exit code, and what the message must say. */
const corpus: Readonly<
  Record<
    string,
    readonly [file: string, data: string | Uint8Array, words: readonly string[], code: number, message: RegExp]
  >
> = {
  "an empty scenario": ["empty.yaml", "", ["run"], 3, /empty.yaml(:1:1)?: .*expected/],
  "a scenario that is no YAML": ["broken.yaml", "version: 1\nname: [a\n", ["run"], 3, /broken.yaml:\d+:\d+: /],
  "a scenario that is not UTF-8": [
    "latin.yaml",
    Buffer.from("name: caf\xe9\n", "latin1"),
    ["run"],
    3,
    /latin.yaml:1:10: expected UTF-8/,
  ],
  "a scenario of bytes": ["bytes.yaml", Buffer.from([0, 1, 2, 3, 0x7f]), ["run"], 3, /bytes.yaml:\d+:\d+: /],
  "a key twice": ["twice.yaml", `${small}version: 1\n`, ["run"], 3, /twice.yaml:\d+:\d+: /],
  "an unknown key": [
    "key.yaml",
    changed("requests: 60", "request: 60"),
    ["run"],
    3,
    /key.yaml:9:3: traffic.request: .*did you mean requests/,
  ],
  "a wrong unit": [
    "unit.yaml",
    changed("20/s", "20"),
    ["run"],
    3,
    /unit.yaml:10:\d+: traffic.arrivals.requestRate: expected a rate with its unit, .*found 20/,
  ],
  "a prototype key": [
    "proto.yaml",
    `${small}__proto__: { polluted: true }\n`,
    ["run"],
    3,
    /proto.yaml:\d+:\d+: .*__proto__/,
  ],
  "an infinite number": [
    "inf.yaml",
    changed("requests: 60", "requests: 1e999"),
    ["run"],
    3,
    /inf.yaml:9:\d+: traffic.requests: expected/,
  ],
  "not a number": [
    "nan.yaml",
    changed("requests: 60", "requests: .nan"),
    ["run"],
    3,
    /nan.yaml:9:\d+: traffic.requests: expected/,
  ],
  "more requests than any memory holds": [
    "many.yaml",
    changed("requests: 60", "requests: 9007199254740991"),
    ["run"],
    3,
    /many.yaml:9:\d+: traffic.requests: expected/,
  ],
  "an alias bomb": [
    "bomb.yaml",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
      .split("")
      .map((key, i) => `${key}: &${key} [${Array(9).fill(`*${"abcdefg"[i]}`).join(",")}]`)
      .join("\n")}\n`,
    ["run"],
    3,
    /bomb.yaml.*: /,
  ],
  "deep nesting": ["deep.yaml", `version: ${"[".repeat(5000)}${"]".repeat(5000)}\n`, ["run"], 3, /deep.yaml.*: /],
  "an impossible mapping": [
    "mapping.yaml",
    `${small}parallel: { tp: 2, ep: 4 }\n`,
    ["run"],
    3,
    /mapping.yaml:\d+:\d+: .*tp/,
  ],
  "a mapping that does not divide the model": [
    "devices.yaml",
    `${small}parallel: { tp: 3, ep: 3 }\n`,
    ["run"],
    3,
    /devices.yaml:\d+:\d+: .*expected/,
  ],
  "a model that does not fit": ["fit.yaml", changed("id: gpt-oss-20b", "id: mixtral-8x22b"), ["run"], 4, /GiB/],
  "a model nobody knows": [
    "model.yaml",
    changed("id: gpt-oss-20b", "id: gpt-oss-20"),
    ["run"],
    3,
    /model.yaml:4:\d+: model.id: .*found "gpt-oss-20"/,
  ],
  "a scenario that names a missing trace": [
    "trace.yaml",
    changed("kind: uniform", "kind: trace, file: none.safetensors"),
    ["run"],
    3,
    /none.safetensors/,
  ],
  "an unknown field of config.json": [
    "field.json",
    JSON.stringify({ ...config, num_hyper_experts: 7 }),
    ["model", "show"],
    3,
    /field.json: num_hyper_experts: expected/,
  ],
  "a config.json without a size": [
    "size.json",
    JSON.stringify({ ...config, hidden_size: undefined }),
    ["model", "show"],
    3,
    /size.json: hidden_size: expected/,
  ],
  "a config.json with a number that is none": [
    "number.json",
    JSON.stringify(config).replace('"hidden_size":64', '"hidden_size":1e999'),
    ["model", "show"],
    3,
    /number.json: hidden_size: expected a finite number/,
  ],
  "a config.json with a prototype key": [
    "proto.json",
    JSON.stringify(config).replace("{", '{"__proto__":{"a":1},'),
    ["model", "show"],
    3,
    /proto.json: __proto__: expected an ordinary key/,
  ],
  "a config.json cut short": [
    "cut.json",
    JSON.stringify(config).slice(0, 80),
    ["model", "show"],
    3,
    /cut.json: expected valid JSON/,
  ],
  "a trace cut short": [
    "cut.safetensors",
    safetensors({ a: { dtype: "U8", shape: [100], data_offsets: [0, 100] } }, 10),
    ["trace", "stats"],
    3,
    /cut.safetensors: .*expected/,
  ],
  "a trace with a huge header": [
    "header.safetensors",
    Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]), Buffer.from("{}")]),
    ["trace", "inspect"],
    3,
    /header.safetensors: header length: expected at most/,
  ],
  "a trace with a huge shape": [
    "shape.safetensors",
    safetensors({ a: { dtype: "U16", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 16] } }, 16),
    ["trace", "inspect"],
    3,
    /shape.safetensors: .*expected/,
  ],
  "a trace that is no moecast trace": [
    "other.safetensors",
    safetensors({ a: { dtype: "U8", shape: [4], data_offsets: [0, 4] } }, 4),
    ["trace", "stats"],
    3,
    /other.safetensors: .*expected/,
  ],
  "an array with a huge shape": [
    "huge.npy",
    npy("(1099511627776, 1099511627776, 2)", 64),
    ["trace", "import", "-o", "x.safetensors"],
    3,
    /huge.npy: .*expected/,
  ],
  "an array cut short": [
    "short.npy",
    npy("(100, 4, 2)", 64),
    ["trace", "import", "-o", "x.safetensors"],
    3,
    /short.npy: .*expected/,
  ],
  "a zip bomb": [
    "bomb.npz",
    zipSync({ "a.npy": Buffer.concat([npy("(10, 4, 2)", 0), Buffer.alloc(64 * 2 ** 20)]) }, { level: 9 }),
    ["trace", "import", "-o", "x.safetensors"],
    3,
    /bomb.npz: .*expected/,
  ],
  "a log with an infinite weight": [
    "inf.jsonl",
    `${step({})}\n${step({ token_idx: 1 }).replace("0.5,0.5", "1e999,0.5")}\n`,
    ["trace", "import", "-o", "x.safetensors"],
    3,
    /inf.jsonl:2: .*expected a finite number/,
  ],
  "a log with a prototype key": [
    "proto.jsonl",
    `${step({})}\n${step({ token_idx: 1 }).replace("{", '{"__proto__":{},')}\n`,
    ["trace", "import", "-o", "x.safetensors"],
    3,
    /proto.jsonl:2: .*__proto__/,
  ],
  "requests that end before they begin": [
    "azure.csv",
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,-5,44\n",
    ["trace", "inspect"],
    3,
    /azure.csv:2: .*expected/,
  ],
};

describe("input that cannot be used", () => {
  test.each(Object.entries(corpus))(
    "%s: one clear message, its own exit code, nothing on stdout",
    async (_what, [file, data, words, code, message]) => {
      write(file, data);
      const [command = "", ...rest] = words;
      const result = await moecast(
        [
          command,
          ...rest.filter((word) => !word.startsWith("-") && !word.startsWith("x.")),
          file,
          ...rest.filter((word) => word.startsWith("-") || word.startsWith("x.")),
        ],
        { cwd: folder },
      );
      expect(result.err).toMatch(message);
      expect(result.err).not.toMatch(/internal error|\n\s+at /);
      expect(result.out).toBe("");
      expect([result.code, result.signal]).toEqual([code, null]);
    },
  );

  test("leaves no output file behind", async () => {
    write("huge.npy", npy("(100, 4, 2)", 64));
    await moecast(["trace", "import", "huge.npy", "-o", "left.safetensors"], { cwd: folder });
    const { err } = await moecast(["trace", "inspect", "left.safetensors"], { cwd: folder });
    expect(err).toMatch(/left.safetensors: expected/);
  });
});

test("escape sequences in names never reach the terminal or an export", async () => {
  const name = "\\e[2J\\e]0;owned\\a|<script>=cmd";
  write("escape.yaml", changed("name: small", `name: "${name}"`));
  write("config.json", JSON.stringify({ ...config, model_type: "\u001b[31mmixtral" }));
  const formats = Object.keys(exporters).filter((format) => format !== "parquet");
  const exports = formats.flatMap((format) => ["--export", `${format}=${path(`escape.${format}`)}`]);
  const [run, model, missing] = await Promise.all([
    moecast(["run", "escape.yaml", ...exports], { cwd: folder }),
    moecast(["model", "show", "config.json"], { cwd: folder }),
    moecast(["run", "\u001b[31mnone.yaml"], { cwd: folder }),
  ]);
  const written = run.code === 0 ? formats.map((format) => readFileSync(path(`escape.${format}`), "utf8")) : [];
  const control = /(?![\t\n])\p{Cc}/u;
  for (const text of [run, model, missing].flatMap(({ out, err }) => [out, err]).concat(written))
    expect(text).not.toMatch(control);
  expect([0, 3]).toContain(run.code);
  expect(model.code).toBe(3);
  expect(missing.code).toBe(3);
});
