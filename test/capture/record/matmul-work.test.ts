import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../../src/capture/checkpoint/open-checkpoint.ts";
import { layerWork, matmulFlops } from "../../../src/capture/record/matmul-work.ts";
import { checkpointFolder } from "../checkpoints.ts";

async function planOf(name: string) {
  const checkpoint = await openCheckpoint(checkpointFolder(name));
  await checkpoint.close();
  return checkpoint.plan;
}

describe("operations of a layer", () => {
  const starts = Uint32Array.of(0, 3, 10, 12);
  const tokens = 12;
  const pairs = 3 * 3 + 7 * 7 + 2 * 2;

  test("with grouped-query attention and experts are two per weight and row, and two per pair and head value twice", async () => {
    const layer = (await planOf("mixtral")).layers[0]!;
    const { attention, feedForward } = layer;
    if (attention.kind !== "gqa" || feedForward.kind !== "moe") throw new Error("mixtral has other layers");
    const h = attention.query.inputWidth;
    const [q, kv] = [attention.queryHeads * attention.headDim, attention.kvHeads * attention.headDim];
    const attends = tokens * (2 * h * q + 2 * h * kv) + pairs * 2 * q;
    const experts = tokens * (h * feedForward.experts + feedForward.topK * 3 * h * feedForward.expertWidth);
    expect(matmulFlops(layerWork(layer, starts, 1, true))).toBeCloseTo(2 * (attends + experts), 4);
    expect(matmulFlops(layerWork(layer, starts, 1, false))).toBeCloseTo(
      2 * (attends + tokens * h * feedForward.experts),
      4,
    );
  });

  test("do not depend on the groups that tokens go in", async () => {
    for (const layer of (await planOf("deepseek-v3")).layers)
      expect(matmulFlops(layerWork(layer, starts, 3, true))).toBeCloseTo(
        matmulFlops(layerWork(layer, starts, 1, true)),
        4,
      );
  });
});
