import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelNamed } from "../../src/models/catalogue.ts";
import { openRoutingTrace, type RoutingTraceFile } from "../../src/trace/container/open-trace.ts";
import { loadRoutingTable } from "../../src/trace/load-routing.ts";
import { overlapAtLag } from "../../src/trace/stats/overlap.ts";

let trace: RoutingTraceFile;

beforeAll(async () => {
  trace = await openRoutingTrace("scenarios/traces/gpt-oss-20b.safetensors");
});
afterAll(() => trace.close());

describe("the shipped recording of gpt-oss-20b", () => {
  test("has the layers and experts of the model, as decode, in less than 3 MB", async () => {
    const layers = modelNamed("gpt-oss-20b").layers;
    const [feedForward] = layers.map((layer) => layer.feedForward);
    const table = await loadRoutingTable(trace);
    expect(trace.header.model).toBe("gpt-oss-20b");
    expect(table.modelLayers).toEqual(layers.map((_layer, index) => index));
    expect(feedForward).toMatchObject({ experts: table.experts, topK: table.topK });
    expect(table.origin).toMatchObject({ kind: "recorded", phase: "decode" });
    expect(trace.bytes).toBeLessThan(3e6);
  });

  test("holds whole answers of several topics: positions without gaps, from the end of the prompt", async () => {
    const sequence = await trace.readColumn("sequence", 0, trace.rows);
    const position = await trace.readColumn("position", 0, trace.rows);
    for (let row = 1; row < trace.rows; row++)
      if (sequence[row] === sequence[row - 1]) expect(position[row]).toBe(position[row - 1]! + 1);
      else expect(position[row]).toBeGreaterThan(50);
    expect(trace.header.domains).toEqual(["gpqa", "mmlu", "mmlu-pro", "tulu"]);
    expect(new Set(await trace.readColumn("domain", 0, trace.rows)).size).toBe(4);
  });

  test("keeps the weights: falling, and together 1 but for their rounding to bf16", async () => {
    for (let layer = 0; layer < trace.header.layers.length; layer++) {
      const weights = await trace.readWeights(layer, 0, trace.rows);
      let worst = 0;
      let rising = 0;
      for (let at = 0; at < weights.length; at += 4) {
        const [a = 0, b = 0, c = 0, d = 0] = weights.subarray(at, at + 4);
        worst = Math.max(worst, Math.abs(a + b + c + d - 1));
        if (a < b || b < c || c < d) rising += 1;
      }
      expect(rising).toBe(0);
      expect(worst).toBeLessThan(4 / 512);
    }
  });

  test("reuses experts as the whole recording does, which the presets of gpt-oss were taken from", async () => {
    const table = await loadRoutingTable(trace);
    let shared = 0;
    for (let layer = 0; layer < table.layers; layer++) shared += overlapAtLag(table, layer, 1).share / table.layers;
    expect(shared).toBeGreaterThan(0.4);
    expect(shared).toBeLessThan(0.48);
  });

  test("names its source, authors and licence in the header and beside it", () => {
    const beside = readFileSync("scenarios/traces/NOTICE.md", "utf8");
    const { source, notes } = trace.header.provenance;
    for (const words of ["Aman Priyanshu and Supriti Vijay", "Apache-2.0"]) {
      expect(notes.join()).toContain(words);
      expect(beside).toContain(words);
    }
    expect(source).toContain("72b368f");
    expect(beside).toContain(`${trace.rows.toLocaleString("en-US")} tokens`);
  });
});
