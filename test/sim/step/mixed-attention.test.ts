import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CostModel } from "../../../src/hardware/cost.ts";
import type { GqaAttention } from "../../../src/models/spec.ts";
import { attentionProgram } from "../../../src/sim/step/attention-program.ts";
import { attentionWindows } from "../../../src/sim/step/attention-windows.ts";
import { addChunk, emptyBatch } from "../../../src/sim/step/batch.ts";
import { drawn } from "../../drawn.ts";
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

const programOf = (mixedDecodeRows: number | null) =>
  attentionProgram(spec, {
    hidden: 512,
    tp: 1,
    weightFormat: "bf16",
    kvFormat: "bf16",
    math: "bf16",
    cost,
    mixedDecodeRows,
    sparseDenseTokens: 0,
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
    const all = launch(own + rows * decodes * (context + 1), prompt + rows * decodes);
    const apart = programOf(null).ns(batch);
    const scoresApart = cost.opNs(decodeOp(decodes, context)) + launchOfPrompt(prompt);
    expect(all).toBeGreaterThan(scoresApart);
    expect(programOf(rows).ns(batch)).toBeCloseTo(apart - scoresApart + all, 6);
  });

  test("without prompts, and without decodes, tiles change nothing", () => {
    for (const batch of [batchOf(5, 300, 0), batchOf(0, 0, 200)])
      expect(programOf(64).ns(batch)).toBeCloseTo(programOf(null).ns(batch), 9);
  });

  test("never takes less time than in two launches, and never less with larger tiles", () => {
    const natural = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(natural(64), natural(4000), natural(500), natural(128), (decodes, context, prompt, rows) => {
        const batch = batchOf(decodes, context, prompt);
        const ns = programOf(rows).ns(batch);
        expect(ns).toBeGreaterThanOrEqual(programOf(null).ns(batch));
        expect(programOf(rows + 1).ns(batch)).toBeGreaterThanOrEqual(ns);
      }),
      { numRuns: drawn(50) },
    );
  });

  test("a prompt of one token is a decode to the kernel; the extra time grows from there to sixteen tokens", () => {
    const extra = (prompt: number) => {
      const batch = batchOf(20, 2000, prompt);
      return programOf(64).ns(batch) - programOf(null).ns(batch);
    };
    expect(extra(1)).toBe(0);
    for (let prompt = 1; prompt < 16; prompt++) {
      expect(extra(prompt + 1)).toBeGreaterThan(extra(prompt));
      expect(extra(prompt + 1) - extra(prompt)).toBeLessThan(extra(16) / 14);
    }
  });
});

function launchOfPrompt(prompt: number) {
  const pairs = (prompt * (prompt + 1)) / 2;
  const shape = { ...decodeOp(1, 0), sequences: 1, queryTokens: prompt, scorePairs: pairs, cacheTokens: prompt };
  return cost.opNs({ ...shape, kind: "attentionPrefill" });
}

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
