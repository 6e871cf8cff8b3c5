import { expect, test } from "vitest";
import { readModel } from "../../src/resolve/read-model.ts";
import { mixtral } from "../models/configs.ts";

const files: Readonly<Record<string, string>> = {
  "plain/config.json": JSON.stringify(mixtral),
  "quantised/config.json": JSON.stringify(mixtral),
  "quantised/hf_quant_config.json": JSON.stringify({ quantization: { quant_algo: "FP8", kv_cache_quant_algo: "FP8" } }),
};
const reader = {
  readText: (path: string) => Promise.resolve(files[path] ?? ""),
  whatIs: (path: string) => {
    if (path in files) return Promise.resolve("file" as const);
    return Promise.resolve(["plain", "quantised"].includes(path) ? ("folder" as const) : ("nothing" as const));
  },
};

test("a checkpoint's folder is read as its config.json, with the quantisation beside it", async () => {
  const file = await readModel(reader, "plain/config.json");
  expect((await readModel(reader, "plain")).spec).toEqual(file.spec);
  const quantised = await readModel(reader, "quantised");
  expect(quantised.spec.formats.experts).toBe("fp8");
  expect(quantised.files.map((read) => read.file)).toEqual(["quantised/config.json", "quantised/hf_quant_config.json"]);
});
