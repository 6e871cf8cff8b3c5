import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CostModel } from "../../../src/hardware/cost.ts";
import type { GqaAttention } from "../../../src/models/spec.ts";
import { attentionProgram, attentionWindows } from "../../../src/sim/step/attention-program.ts";
import { addChunk, emptyBatch } from "../../../src/sim/step/batch.ts";
import { testNode } from "../build.ts";

const spec: GqaAttention = {
  kind: "gqa",
  queryHeads: 8,
  kvHeads: 2,
  headDim: 64,
  windowTokens: null,
  outputGate: false,
  smallParameters: 0,
};
const node = testNode();
const cost = new CostModel(node.device, node);
const windows = attentionWindows([spec]);

const programOf = (mixedDecodeRows: number | null, mixedDecodeFactor = 1) =>
  attentionProgram(spec, {
    hidden: 512,
    tp: 1,
    weightFormat: "bf16",
    kvFormat: "bf16",
    math: "bf16",
    cost,
    mixedDecodeFactor,
    mixedDecodeRows,
    windows,
  });

/** `decodes` sequences of `context` cached tokens, beside a prompt of `prompt` tokens. */
function batchOf(decodes: number, context: number, prompt: number) {
  const batch = emptyBatch(windows.length);
  for (let i = 0; i < decodes; i++) addChunk(batch, windows, context, 1, true);
  if (prompt > 0) addChunk(batch, windows, 0, prompt, false);
  return batch;
}

describe("decodes in the launch of the kernel for prompts", () => {
  test("each takes a tile: the launch computes the scores of all its rows", () => {
    const [decodes, context, prompt, rows] = [6, 999, 100, 64];
    const batch = batchOf(decodes, context, prompt);
    const launch = (pairs: number, queryTokens: number) =>
      cost.opNs({
        kind: "attentionPrefill",
        sequences: decodes + 1,
        queryTokens,
        scorePairs: pairs,
        cacheTokens: decodes * (context + 1) + prompt,
        heads: 8,
        kvHeads: 2,
        latent: false,
        widthPerPair: 128,
        cacheBytesPerToken: 512,
        cacheFormat: "bf16",
        math: "bf16",
      });
    const own = (prompt * (prompt + 1)) / 2;
    const tiled = programOf(rows).ns(batch) - programOf(1).ns(batch);
    expect(programOf(rows).ns(batch)).toBeGreaterThan(programOf(1).ns(batch));
    const perRow = decodes * (context + 1);
    const least = cost.opNs({ ...decodeOp(decodes, context) });
    const one = Math.max(launch(own + perRow, prompt + decodes), least);
    expect(tiled).toBeCloseTo(launch(own + rows * perRow, prompt + rows * decodes) - one, 6);
  });

  test("without prompts, and without decodes, tiles change nothing", () => {
    for (const batch of [batchOf(5, 300, 0), batchOf(0, 0, 200)])
      expect(programOf(64).ns(batch)).toBeCloseTo(programOf(null).ns(batch), 9);
  });

  test("never takes less time than the decodes alone, and never less with larger tiles", () => {
    const natural = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(natural(64), natural(4000), natural(500), natural(128), (decodes, context, prompt, rows) => {
        const batch = batchOf(decodes, context, prompt);
        const ns = programOf(rows).ns(batch);
        expect(ns).toBeGreaterThanOrEqual(cost.opNs(decodeOp(decodes, context)));
        expect(programOf(rows + 1).ns(batch)).toBeGreaterThanOrEqual(ns);
      }),
      { numRuns: 50 },
    );
  });

  test("where tiles are not known, the engine's factor holds", () => {
    const batch = batchOf(4, 500, 50);
    const alone = cost.opNs(decodeOp(4, 500));
    expect(programOf(null, 3).ns(batch) - programOf(null, 1).ns(batch)).toBeCloseTo(2 * alone, 6);
    expect(programOf(64, 3).ns(batch)).toBe(programOf(64, 1).ns(batch));
  });
});

function decodeOp(decodes: number, context: number) {
  return {
    kind: "attentionDecode",
    sequences: decodes,
    queryTokens: decodes,
    scorePairs: decodes * (context + 1),
    cacheTokens: decodes * (context + 1),
    heads: 8,
    kvHeads: 2,
    latent: false,
    widthPerPair: 128,
    cacheBytesPerToken: 512,
    cacheFormat: "bf16",
    math: "bf16",
  } as const;
}
