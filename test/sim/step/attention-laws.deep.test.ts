import { describe, expect, test } from "vitest";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { nodeNamed, systemIds } from "../../../src/hardware/named-profiles.ts";
import { catalogue } from "../../../src/models/catalogue.ts";
import { scanWork } from "../../../src/models/linear-scan.ts";
import { servedEngine } from "../../../src/resolve/served-engine.ts";
import { type TimedLayer, timedLayers } from "./catalogue-programs.ts";

const lengths = [1, 2, 8, 15, 16, 17, 64, 128, 500, 1024, 2047, 2048, 2049, 4096, 8192];
const engines = ["vllm", "sglang", "tensorrt-llm"] as const;

/** Every kind of layer of the catalogue on every system under every engine, alone and in eight ranks. */
function* everyLayer(kinds: readonly string[]): Generator<TimedLayer & { readonly rows: number | null }> {
  for (const system of systemIds)
    for (const engineId of engines) {
      const { mixedDecodeRows = null, sparseDenseTokens } = servedEngine(
        engineNamed(engineId),
        nodeNamed(system).device,
      );
      for (const model of Object.keys(catalogue))
        for (const tp of [1, 8])
          for (const layer of timedLayers(model, system, engineId, tp, { mixedDecodeRows, sparseDenseTokens }))
            if (kinds.includes(layer.attention.kind))
              yield { ...layer, name: `${layer.name} under ${engineId}`, rows: mixedDecodeRows };
    }
}

describe("over all systems, engines and models", () => {
  test("linear attention: nothing depends on the context, and no chunk beats its bytes and FLOPs", () => {
    let seen = 0;
    for (const { name, attention, cost, ns } of everyLayer(["linear"])) {
      if (attention.kind !== "linear") continue;
      seen++;
      expect(ns([[0, 777]]), name).toBe(ns([[50_000, 777]]));
      expect(ns([], 9, 10), name).toBe(ns([], 9, 50_000));
      const tp = name.includes("tp8") ? 8 : 1;
      const { bytes, flops } = scanWork(attention.scan);
      const { device } = cost;
      const perHead = Math.max(bytes / device.memoryBytesPerSecond, flops / (device.peak.bf16 ?? 1)) * 1e9;
      for (const tokens of lengths) {
        const leastNs: number = (tokens * perHead * attention.scan.heads) / tp;
        if (!(ns([[0, tokens]]) > leastNs)) expect.fail(`${name}: ${tokens} tokens in less than ${leastNs} ns`);
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  test("sparse latent attention: no prompt beats its selected keys, and ranks divide at most the heads beyond a tile", () => {
    let seen = 0;
    for (const { name, attention, cost, ns } of everyLayer(["mla"])) {
      if (attention.kind !== "mla" || attention.indexer === null || attention.compressed !== undefined) continue;
      seen++;
      const tp = name.includes("tp8") ? 8 : 1;
      const width = 2 * attention.kvLoraRank + attention.ropeHeadDim;
      const { topTokens } = attention.indexer;
      const tile = Math.max(attention.queryHeads / tp, cost.device.efficiency.sparseLatentHeads ?? 1);
      for (const tokens of [16_384, 32_768]) {
        const floor = (2 * tokens * topTokens * tile * width * 1e9) / (cost.device.peak.bf16 ?? 1);
        expect(ns([[0, tokens]]), name).toBeGreaterThan(floor);
      }
      // Each further token costs more than the last: the indexer looks at everything before it.
      expect(ns([[32_768, 16_384]]), name).toBeGreaterThan(ns([[16_384, 16_384]]));
    }
    expect(seen).toBeGreaterThan(20);
  });

  test("a prompt beside decodes: at least both apart, no jump from nothing, and a bounded price", () => {
    let seen = 0;
    for (const { name, attention, rows, ns } of everyLayer(["gqa", "mla", "linear"])) {
      seen++;
      for (const [decodes, context] of [
        [4, 1000],
        [64, 4000],
      ] as const) {
        const alone = ns([], decodes, context);
        for (const tokens of lengths) {
          const prompt = ns([[0, tokens]]);
          const mixed = ns([[0, tokens]], decodes, context);
          // Products of both take one pass over their weights.
          const least = 0.9 * Math.max(alone, prompt);
          // In a launch of its own a decode pays nothing. In tiles it pays for all rows at most, from the second prompt
          // token on and in full from the sixteenth.
          const tiled = rows !== null && attention.kind === "gqa" ? rows : 0;
          const price = Math.min(1, (tokens - 1) / 15) * tiled * alone;
          const most = 1.2 * (alone + prompt) + price;
          if (!(mixed > least && mixed < most))
            expect.fail(`${name}, ${tokens} tokens beside ${decodes}: ${mixed} is not in (${least}, ${most})`);
        }
      }
    }
    expect(seen).toBeGreaterThan(500);
  });
});
