import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { saveCounts, saveRoutingTable } from "../../src/trace/save-routing.ts";
import { markovRouting } from "../trace/markov-routing.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();
const trace = path("tokens.safetensors");
const counts = path("counts.safetensors");
const shape = { experts: 8, topK: 2, layers: 2, domains: 1, sequences: 4, sequenceTokens: 20, keep: 0.3, follow: 0.3 };

beforeAll(async () => {
  const table = markovRouting({ ...shape, seed: 9 });
  await saveRoutingTable(table, "mixtral-8x7b", trace);
  await saveCounts(table, "mixtral-8x7b", counts);
});

const stats = (file: string, ...words: string[]) => moecast(["trace", "stats", file, ...words]);

test("a trace is judged on one page; the model that it names tells the bytes", async () => {
  const { code, out, err } = await stats(trace, "--offload");
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("Hit rate, %, by slots a layer");
  expect(out).toContain("An expert of Mixtral 8x7B takes 336 MiB in bf16");
});

test("the document holds what the page shows, with another model's format, sizes and batch", async () => {
  const words = [
    "--offload",
    "--json",
    "--slots",
    "2,5",
    "--batch",
    "2",
    "--scope",
    "global",
    "--expert-format",
    "int4",
  ];
  const { code, out } = await stats(trace, ...words);
  expect(code).toBe(0);
  const document = JSON.parse(out) as Record<string, unknown>;
  expect(document).toMatchObject({
    batch: { asked: 2, served: 2 },
    scope: "global",
    expert: {
      model: "Mixtral 8x7B",
      format: "int4",
      bytes: expect.closeTo((3 * 4096 * 14336 * 4.125) / 8, -3) as number,
    },
    verdict: { slots: 5 },
  });
  expect((document["sizes"] as { slots: number }[]).map(({ slots }) => slots)).toEqual([2, 5]);
});

test("counts have no order to replay", async () => {
  const { code, out, err } = await stats(counts, "--offload");
  expect([code, out]).toEqual([3, ""]);
  expect(err).toContain(`expected a tokens trace, found "a counts trace"`);
});

test("what cannot be is one message", async () => {
  const refused = async (...words: string[]) => {
    const { code, out, err } = await stats(trace, ...words);
    expect(out).toBe("");
    expect(err.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
    return [code, err] as const;
  };
  expect(await refused("--batch", "4")).toEqual([2, expect.stringContaining("--batch need --offload")]);
  expect(await refused("--offload", "--ranks", "4")).toEqual([2, expect.stringContaining("--ranks does not apply")]);
  expect(await refused("--offload", "--slots", "9")).toEqual([3, expect.stringContaining("1 to 8 of its experts")]);
  const other = await refused("--offload", "--model", "qwen3-30b-a3b");
  expect(other).toEqual([3, expect.stringContaining("a model with 8 routed experts")]);
  expect(await refused("--offload", "--expert-format", "int5x")).toEqual([
    2,
    expect.stringContaining("--expert-format"),
  ]);
});

test("a missing file is a missing file", async () => {
  const { code } = await stats(join(path("nowhere"), "x.safetensors"), "--offload");
  expect(code).toBe(3);
});

test("sizes that a token does not fit into are said to stream, and a domain is looked for in the file", async () => {
  const small = await stats(trace, "--offload", "--slots", "1,2,4");
  expect(small.out).toContain("Fewer slots than the 2 experts of one token (1): every call streams");
  expect((await stats(trace, "--offload", "--slots", "2,4")).out).not.toContain("Fewer slots than");
  for (const words of [["--offload"], []]) {
    const { code, out, err } = await stats(trace, ...words, "--domain", "nowhere");
    expect([code, out]).toEqual([3, ""]);
    expect(err).toContain(`${trace}: --domain: expected a domain of`);
  }
});
