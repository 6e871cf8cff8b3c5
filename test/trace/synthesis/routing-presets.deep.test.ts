import { expect, test } from "vitest";
import { parametricRouting } from "../../../src/trace/synthesis/parametric-routing.ts";
import { routingFamilies } from "../../../src/trace/synthesis/routing-presets.ts";
import { batchCurve } from "./batch-curve.ts";

test("synthesis shows the recorded curves: hits at every size and distinct experts, for one sequence and for batches", () => {
  for (const { family, experts, topK, popularityCv, reuse, laterReuse, fade, recorded } of routingFamilies) {
    if (recorded === undefined) continue;
    const table = parametricRouting({
      experts,
      topK,
      layers: 6,
      popularity: { popularityCv: popularityCv.value },
      reuse: reuse.value,
      laterReuse: laterReuse.value,
      fade: fade.value,
      sequenceTokens: recorded.sequenceTokens,
      tokens: 8000,
      seed: 7,
    });
    for (const { batch, distinct, slots, hitRate } of recorded.curves) {
      const shown = batchCurve(table, batch, batch === 1 ? 3000 : 400);
      expect(Math.abs(shown.distinct / distinct - 1), `${family}, ${batch} sequences`).toBeLessThan(0.04);
      for (const [at, size] of slots.entries())
        expect(Math.abs(shown.hitRate[size]! - hitRate[at]!), `${family}, ${batch} x, ${size} slots`).toBeLessThan(
          0.035,
        );
    }
    const distinct = [1, 2, 4, 8, 16].map((batch) => batchCurve(table, batch, 200).distinct);
    expect(distinct).toEqual([...distinct].sort((a, b) => a - b));
    const { hitRate } = batchCurve(table, 8, 200);
    expect(hitRate).toEqual([...hitRate].sort((a, b) => a - b));
    expect(hitRate[experts]).toBeGreaterThan(0.99);
  }
}, 120_000);
