import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Checkpoint, openCheckpoint } from "../../../src/capture/checkpoint/open-checkpoint.ts";
import { InvalidInputError, type Problem } from "../../../src/core/errors.ts";
import {
  counting,
  e4m3,
  type FileTensor,
  f32,
  safetensors,
  temporaryFolder,
  u8,
  writeConfig,
  writeIndex,
  writeShards,
  writeSingle,
} from "./checkpoint-files.ts";
import { tensorsOf, tinyMixtral } from "./tiny-models.ts";

type Tensors = Readonly<Record<string, FileTensor>>;

const whole = tensorsOf(tinyMixtral);
const expertName = "model.layers.0.block_sparse_moe.experts.1.w2.weight";

function written(tensors: Tensors, config: object = tinyMixtral): string {
  const folder = temporaryFolder();
  writeConfig(folder, config);
  writeSingle(folder, tensors);
  return folder;
}

const isExpert = (name: string) => name.includes("experts");

function halves(tensors: Tensors): { experts: Tensors; rest: Tensors } {
  const part = (experts: boolean) => Object.entries(tensors).filter(([name]) => isExpert(name) === experts);
  return { experts: Object.fromEntries(part(true)), rest: Object.fromEntries(part(false)) };
}

function writtenInShards(tensors: Tensors = whole): string {
  const folder = temporaryFolder();
  const { experts, rest } = halves(tensors);
  writeConfig(folder, tinyMixtral);
  writeShards(folder, { "model-1.safetensors": rest, "model-2.safetensors": experts });
  return folder;
}

async function using<T>(folder: string, use: (checkpoint: Checkpoint) => T | Promise<T>): Promise<T> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return await use(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

async function problemsOf(folder: string): Promise<readonly Problem[]> {
  const checkpoint = await openCheckpoint(folder).catch((error: unknown) => error);
  expect(checkpoint).toBeInstanceOf(InvalidInputError);
  return (checkpoint as InvalidInputError).problems;
}

function without(tensors: Tensors, ...names: string[]): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !names.includes(name)));
}

test("a model reads the same from one file and from shards", async () => {
  const read = (folder: string) => using(folder, ({ weights }) => weights.read(expertName, [4, 3]));
  const values = await read(written(whole));
  expect(Buffer.from(values.buffer)).toEqual(Buffer.from(whole[expertName]!.bytes));
  expect(await read(writtenInShards())).toEqual(values);
});

test("tensors beside those of the plan are ignored, whatever their dtype", async () => {
  const mtp = { "model.layers.1.eh_proj.weight": u8([3], [1, 2, 3]), mask: { ...u8([2], [0, 1]), dtype: "BOOL" } };
  await using(written({ ...whole, ...mtp }), ({ plan }) => expect(plan.layers).toHaveLength(1));
});

test("a tied head needs no tensor of its own", async () => {
  const tied = { ...tinyMixtral, tie_word_embeddings: true };
  await using(written(without(whole, "lm_head.weight"), tied), ({ plan }) =>
    expect(plan.head.weight).toBe("model.embed_tokens.weight"),
  );
});

describe("the digest", () => {
  const digestOf = (folder: string) => using(folder, ({ digest }) => digest);

  test("is the same for a copy and another for any other config, shape or weights", async () => {
    const digest = await digestOf(written(whole));
    expect(await digestOf(written(whole))).toBe(digest);
    const others = [
      written(whole, { ...tinyMixtral, rms_norm_eps: 1e-6 }),
      written({ ...whole, more: u8([1], [0]) }),
      written({ ...whole, [expertName]: f32([4, 3], counting(12, 1000)) }),
      writtenInShards(),
    ];
    expect(new Set([digest, ...(await Promise.all(others.map(digestOf)))]).size).toBe(5);
  });

  test("sees a change anywhere near a sample of a large file", async () => {
    const large = (value: number) => ({ ...whole, padding: u8([1 << 20], new Uint8Array(1 << 20).fill(value)) });
    expect(await digestOf(written(large(1)))).not.toBe(await digestOf(written(large(2))));
  });
});

describe("refused with file, tensor, expectation and what was found:", () => {
  test("a folder without config.json", async () => {
    const folder = temporaryFolder();
    expect(await problemsOf(folder)).toMatchObject([
      { file: join(folder, "config.json"), expected: "the config.json of a Hugging Face checkpoint folder" },
    ]);
  });

  test("a folder with weights of another format, which is named", async () => {
    const folder = temporaryFolder();
    writeConfig(folder, tinyMixtral);
    writeFileSync(join(folder, "pytorch_model.bin"), "");
    expect(await problemsOf(folder)).toMatchObject([
      { file: folder, expected: "model.safetensors or model.safetensors.index.json", found: "pytorch_model.bin" },
    ]);
  });

  test("an architecture that is not executed", async () => {
    const problems = await problemsOf(written(whole, { ...tinyMixtral, model_type: "mixtrall" }));
    expect(problems).toMatchObject([{ at: "model_type", found: "mixtrall", hint: "did you mean mixtral?" }]);
  });

  test("a quantisation that leaves no tensor under its name", async () => {
    const config = { ...tinyMixtral, quantization_config: { quant_method: "awq", bits: 4 } };
    expect(await problemsOf(written(whole, config))).toMatchObject([
      { at: "quantization_config.quant_method", found: "awq" },
    ]);
  });

  test("everything that is wrong with the tensors, at once", async () => {
    const norm = "model.norm.weight";
    const tensors = {
      ...without(whole, "lm_head.weight"),
      [norm]: f32([5], counting(5)),
      [expertName]: { dtype: "F64", shape: [4, 3], bytes: new Uint8Array(96) },
    };
    const folder = written(tensors);
    const file = join(folder, "model.safetensors");
    const problems = await problemsOf(folder);
    expect(problems).toHaveLength(3);
    expect(problems).toEqual(
      expect.arrayContaining([
        { file, at: "tensor lm_head.weight", expected: "a tensor of shape [6, 4]" },
        { file, at: `tensor ${norm}`, expected: "shape [4]", found: "[5]" },
        expect.objectContaining({ file, at: `tensor ${expertName}`, found: "F64" }),
      ]),
    );
  });

  test("a missing shard once, beside the problems of the others", async () => {
    const folder = writtenInShards({ ...whole, "model.norm.weight": f32([5], counting(5)) });
    rmSync(join(folder, "model-2.safetensors"));
    expect(await problemsOf(folder)).toMatchObject([
      { file: join(folder, "model-2.safetensors"), found: "no such file" },
      { file: join(folder, "model-1.safetensors"), at: "tensor model.norm.weight", found: "[5]" },
    ]);
  });

  test("a truncated shard once, with the size it should have", async () => {
    const folder = writtenInShards();
    const file = join(folder, "model-2.safetensors");
    const bytes = safetensors(halves(whole).experts).length;
    truncateSync(file, bytes - 50);
    expect(await problemsOf(folder)).toEqual([
      {
        file,
        expected: `a file of ${bytes} bytes (header and tensors)`,
        found: bytes - 50,
        hint: "the file is truncated",
      },
    ]);
  });

  test("a tensor that lies in another shard than the index says", async () => {
    const folder = writtenInShards();
    const map = Object.fromEntries(
      Object.keys(whole).map((name) => [
        name,
        isExpert(name) && name !== expertName ? "model-2.safetensors" : "model-1.safetensors",
      ]),
    );
    writeIndex(folder, map);
    expect(await problemsOf(folder)).toEqual([
      {
        file: join(folder, "model-1.safetensors"),
        at: `tensor ${expertName}`,
        expected: "a tensor of shape [4, 3]",
        found: "the tensor in model-2.safetensors",
      },
    ]);
  });

  test("a tensor that the index does not name", async () => {
    const folder = writtenInShards(without(whole, expertName));
    expect(await problemsOf(folder)).toMatchObject([
      { file: join(folder, "model.safetensors.index.json"), at: `tensor ${expertName}` },
    ]);
  });

  test.each([
    "../model.safetensors",
    "/etc/model.safetensors",
    "a/model.safetensors",
    "..\\model.safetensors",
    "C:model.safetensors",
    "config.json",
    7,
  ])("the shard name %s, which leads out of the folder or to no weights", async (name) => {
    const folder = temporaryFolder();
    writeConfig(folder, tinyMixtral);
    writeIndex(folder, { "model.norm.weight": name as string, other: name as string });
    expect(await problemsOf(folder)).toMatchObject([{ at: "weight_map.model.norm.weight", found: name }]);
  });

  test("FP8 without scales, with scales of another shape, and with blocks of unknown size", async () => {
    const fp8 = e4m3([4, 3], new Uint8Array(12));
    const config = { ...tinyMixtral, quantization_config: { quant_method: "fp8", weight_block_size: [2, 2] } };
    expect(await problemsOf(written({ ...whole, [expertName]: fp8 }, config))).toMatchObject([
      { at: `tensor ${expertName}`, expected: `scales in ${expertName}_scale_inv or ${expertName}_scale` },
    ]);
    const scaled = (shape: number[], suffix: string) => ({
      ...whole,
      [expertName]: fp8,
      [expertName + suffix]: f32(shape, counting(shape.reduce((product, size) => product * size, 1))),
    });
    expect(await problemsOf(written(scaled([2, 1], "_scale_inv"), config))).toMatchObject([
      { at: `tensor ${expertName}_scale_inv`, expected: "shape [2, 2], a scale for 2 x 2 values", found: "[2, 1]" },
    ]);
    expect(await problemsOf(written(scaled([2, 2], "_scale_inv")))).toMatchObject([
      { expected: "quantization_config.weight_block_size in config.json" },
    ]);
    expect(await problemsOf(written(scaled([3], "_scale")))).toMatchObject([{ found: "[3]" }]);
    await using(written(scaled([2, 2], "_scale_inv"), config), () => {});
    await using(written(scaled([4], "_scale")), () => {});
  });

  test("more problems than anyone reads, which are counted", async () => {
    const config = { ...tinyMixtral, num_local_experts: 40 };
    const problems = await problemsOf(written(whole, config));
    expect(problems).toHaveLength(51);
    // 38 experts of three tensors, and the router's shape.
    expect(problems.at(-1)).toMatchObject({ found: `${38 * 3 + 1 - 50} more problems of these kinds` });
  });
});

test.skipIf(process.platform !== "linux")("every file is closed when a checkpoint is refused", async () => {
  const opened = () => readdirSync("/proc/self/fd").length;
  const folder = writtenInShards(without(whole, expertName));
  await problemsOf(folder);
  const before = opened();
  for (let i = 0; i < 5; i++) await problemsOf(folder);
  expect(opened()).toBeLessThanOrEqual(before);
});

test("config.json is kept as it is", async () => {
  const folder = written(whole, { ...tinyMixtral, note: "ours" });
  await using(folder, ({ config }) =>
    expect(config).toEqual(JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))),
  );
});
