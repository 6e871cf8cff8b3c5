import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readModel } from "../../src/resolve/read-model.ts";
import { qwenFile } from "../models/gguf/small-models.ts";
import { ggufHeader } from "../models/gguf/write-gguf.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "moecast-gguf-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Reads through the file system alone. */
const reader = { readText: () => Promise.reject(new Error("no text is read")) };
const write = async (name: string, metadata: object, tensors = qwenFile.tensors): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, ggufHeader({ metadata: { ...qwenFile.metadata, ...metadata }, tensors }));
  return path;
};

test("a file is read by its header, and all parts of a split one from any of them", async () => {
  const whole = await readModel(reader, await write("whole.gguf", {}));
  expect(whole.spec.modelType).toBe("qwen3_moe");
  expect(whole.ignored).toContain("qwen3moe.rope.freq_base");
  const split = { "split.count": 2, "split.tensors.count": qwenFile.tensors.length };
  await write("split-00001-of-00002.gguf", split, qwenFile.tensors.slice(0, 7));
  const second = await write("split-00002-of-00002.gguf", { "split.count": 2 }, qwenFile.tensors.slice(7));
  expect((await readModel(reader, second)).spec).toEqual(whole.spec);
});

test("parts that are missing, or that do not belong together, are refused", async () => {
  const alone = await write("alone-00001-of-00002.gguf", { "split.count": 2 }, qwenFile.tensors.slice(0, 7));
  await expect(readModel(reader, alone)).rejects.toThrow(/alone-00002-of-00002\.gguf: expected a file that exists/);
  const renamed = await write("renamed.gguf", { "split.count": 2 });
  await expect(readModel(reader, renamed)).rejects.toThrow(/split\.count: expected 1/);
  await expect(readModel(reader, `${folder}/none.gguf`)).rejects.toThrow(/a file that exists/);
});
