import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { moecast } from "./in-process.ts";

const trace = resolve("scenarios/traces/mini-moe.safetensors");
const quick = ["--backend", "wasm", "--shape", "8x12", "--seconds", "1", "-q"];

describe("validate --live", () => {
  const live = (...words: string[]) =>
    moecast(["validate", "--live", "--trace", trace, ...quick, "--steps", "20", "--runs", "1", ...words]);

  test("its options apply to nothing else", async () => {
    expect((await moecast(["validate", "--kernels", "tables", "--prefetch", "perfect"])).err).toContain(
      "--prefetch does not apply",
    );
    for (const option of ["--slots", "--batch", "--layers", "--steps", "--runs", "--seconds"]) {
      const { code, err } = await moecast(["validate", "--kernels", "tables", option, "30"]);
      expect(err).toContain(`${option} does not apply`);
      expect(code).toBe(2);
    }
  });

  test.each([
    [["--slots", "33"], 2, /at most the 32 experts/],
    [["--shape", "8by12"], 2, /--shape: expected HIDDENxWIDTH/],
    [["--cache", "belady"], 2, /lru, lfu, fifo/],
    [["--prefetch", "oracle"], 2, /unknown "oracle" \(one of perfect, previous-token/],
    [["--prefetch", "perfect", "--cache", "static"], 2, /a static cache never changes what it holds/],
    [["--prefetch", "perfect", "--layers", "1"], 2, /at least 2 layers/],
    [["--scenario", "x.yaml"], 2, /--scenario does not apply/],
    [["--shape", "mixtral-8x7b"], 4, /lower --slots or --shape/],
  ])("%j is refused", async (words, code, message) => {
    const result = await live(...words);
    expect(result.code).toBe(code);
    expect(result.err).toMatch(message);
    expect(result.out).toBe("");
  });
});

describe("calibrate --live", () => {
  test("options of the other way are refused", async () => {
    const live = await moecast(["calibrate", "--live", "--from", "tables/"]);
    expect([live.code, live.err]).toEqual([2, expect.stringContaining("do not apply")]);
    const tables = await moecast(["calibrate", "--from", "t", "--profile", "h200-sxm", "--shape", "8x8"]);
    expect([tables.code, tables.err]).toEqual([2, expect.stringContaining("need --live")]);
    const neither = await moecast(["calibrate"]);
    expect([neither.code, neither.err]).toEqual([2, expect.stringContaining("or --live")]);
  });
});
