import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { further } from "../drawn.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();
const trace = resolve("scenarios/traces/gpt-oss-20b.safetensors");
const small = resolve("scenarios/traces/mini-moe.safetensors");
const bits = (...words: string[]) => moecast(["model", "bits", trace, "--average", "2.5", ...words]);

test("bits, bytes, and what a scenario says of them; as a file too", async () => {
  const file = path("bits.json");
  const { code, out } = await bits("-o", file);
  expect(code).toBe(0);
  expect(out).toContain(`expertBits: ${file}\n`);
  for (const words of further([[]])) expect((await bits(...words)).out).toContain("expertBits: 2.625\n");
  const written = JSON.parse(readFileSync(file, "utf8"));
  expect(written.bits).toHaveLength(24);
  expect(written.bits[0].reduce((sum: number, width: number) => sum + width, 0)).toBeLessThanOrEqual(80);
  expect(written).toMatchObject({ model: "gpt-oss-20b", average: 2.5, proved: true, format: "int3" });
});

test("a scenario takes the average: weights have those bytes, and it says that all experts are alike", async () => {
  const scenario = path("m.yaml");
  writeFileSync(scenario, "model: {id: gpt-oss-20b, dtypes: {experts: int3}, expertBits: 2.625}\n");
  const { code, out } = await moecast(["model", "show", scenario, "--json"]);
  expect(code).toBe(0);
  const shown = JSON.parse(out);
  expect(shown.weights.bitsPerValue.experts).toBe(2.625);
  expect(shown.assumptions.join()).toContain("2.625 bits per value of every expert, also where they differ");
  writeFileSync(scenario, "model: {shape: {}, expertBits: 0.1}\n");
  expect((await moecast(["model", "show", scenario])).code).toBe(3);
});

test("wrong words, files and models are refused", async () => {
  const bits = (...words: string[]) => moecast(["model", "bits", small, "--average", "2.5", ...words]);
  expect((await bits("--solver", "simplex")).code).toBe(2);
  expect((await moecast(["model", "bits", small, "--average", "0"])).code).toBe(2);
  expect((await bits("--loss", path("none.json"))).code).toBe(3);
  writeFileSync(path("short.json"), '{"bits": [1], "loss": []}');
  const short = await bits("--loss", path("short.json"));
  expect([short.code, short.err]).toEqual([
    3,
    expect.stringContaining("loss: expected 8 layers, as the trace has, found 0"),
  ]);
  expect((await bits("--loss", path("short.json"), "--bits", "1,2")).code).toBe(2);
  expect((await bits("--model", "mixtral-8x7b")).err).toContain("expected a model with 32 routed experts");
  expect((await moecast(["model", "bits", small, "--average", "0.5"])).err).toContain(
    "layer 0: budget: expected at least",
  );
});
