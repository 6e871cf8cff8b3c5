import { describe, expect, test } from "vitest";
import {
  attentionDecodeShape,
  attentionPrefillShape,
  latentDecodeShape,
  latentPrefillShape,
} from "../../src/hardware/cost/attention.ts";
import { nominalRates } from "../../src/hardware/cost/mapped.ts";
import type { AttentionOp } from "../../src/hardware/op.ts";
import { syntheticDevice } from "./synthetic-device.ts";

/** Three sequences of 10 tokens that compute 5 new ones each, over 4 query and 2 key heads of width 6 + 8. */
const op: AttentionOp = {
  kind: "attentionPrefill",
  sequences: 3,
  queryTokens: 15,
  scorePairs: 105,
  cacheTokens: 30,
  heads: 4,
  kvHeads: 2,
  latent: false,
  widthPerPair: 14,
  cacheBytesPerToken: 100,
  cacheFormat: "bf16",
  math: "bf16",
};
const rates = nominalRates(syntheticDevice());
const workOf = ({ work }: typeof attentionDecodeShape) => ({
  bytes: work!.bytes(op),
  flops: work!.flops(op),
  math: work!.math(op, rates.device),
});
const queryBytes = 2 * 15 * 4 * 14;

describe("what attention moves and computes, in 16-bit activations", () => {
  test.each([
    ["prompts", attentionPrefillShape],
    ["decodes", attentionDecodeShape],
    ["latent decodes", latentDecodeShape],
  ])("%s read the cache once, and queries and results", (_, shape) => {
    expect(workOf(shape)).toEqual({ bytes: 30 * 100 + queryBytes, flops: 2 * 105 * 4 * 14, math: "bf16" });
  });

  test("latent prompts read keys and values expanded for every head, and queries and results", () => {
    const bytes = 2 * 30 * 4 * 14 + queryBytes;
    expect(workOf(latentPrefillShape)).toEqual({ bytes, flops: 2 * 105 * 4 * 14, math: "bf16" });
  });

  test("prompts write a block of threads per token, as full as its keys have values, up to 512", () => {
    const written = (change: Partial<AttentionOp>) => attentionPrefillShape.writes?.({ ...op, ...change });
    expect(written({})).toBeCloseTo((15 * 2 * 7) / 512, 12);
    expect(written({ kvHeads: 4, widthPerPair: 256 })).toBe(15);
    expect(written({ kvHeads: 64, widthPerPair: 256 })).toBe(15);
    expect(attentionDecodeShape.writes).toBeUndefined();
  });

  test("ideally take as long as that at the nominal rates, bytes and arithmetic side by side", () => {
    for (const shape of [attentionPrefillShape, attentionDecodeShape, latentPrefillShape, latentDecodeShape]) {
      const { bytes, flops, math } = workOf(shape);
      const [memory, compute] = [bytes * rates.nsPerByte, flops * rates.nsPerFlop[math]];
      expect(shape.idealNs(op, rates)).toBeCloseTo(Math.cbrt(memory ** 3 + compute ** 3), 6);
    }
  });
});
