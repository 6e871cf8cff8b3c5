import fc from "fast-check";
import { expect, test } from "vitest";
import { openArrays } from "../../../src/trace/container/arrays.ts";
import { contentsOf } from "../../../src/trace/formats/array-content.ts";
import { roleOf, roleOfFile } from "../../../src/trace/formats/array-roles.ts";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { drawn } from "../../drawn.ts";
import { draws, npy, npz, temporaryFolder } from "../routing-files.ts";
import { recording } from "./opened.ts";

const folder = temporaryFolder();

async function content(values: readonly number[], shape: readonly number[], options: ImportOptions = {}, name = "a") {
  const arrays = await openArrays(folder.write(`${name}.npy`, npy(Int32Array.from(values), shape)));
  return (await contentsOf(arrays, options))[0];
}

/** Counts [layers][experts] of as many choices in every layer. */
function counts(seed: number, layers: number, experts: number, choices: number): number[] {
  const draw = draws(seed);
  return Array.from({ length: layers }, () => {
    const row = Array<number>(experts).fill(0);
    for (let i = 0; i < choices; i++) row[Math.min(draw(experts), draw(experts))]! += 1;
    return row;
  }).flat();
}

test("counts of layers are never taken for ids of tokens, nor ids for counts", async () => {
  const matrix = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    rows: fc.integer({ min: 3, max: 60 }),
    experts: fc.constantFrom(8, 16, 64, 128),
    topK: fc.integer({ min: 2, max: 8 }),
    choices: fc.integer({ min: 100, max: 3_000 }),
  });
  await fc.assert(
    fc.asyncProperty(matrix, async ({ seed, rows, experts, topK, choices }) => {
      const ids = recording(seed, rows, 1, experts, topK);
      const counted = counts(seed, rows, experts, choices);
      expect(await content(ids, [rows, topK])).not.toBe("counts");
      expect(await content(counted, [rows, experts])).not.toBe("ids");
      expect(await content(counted, [1, rows, experts])).not.toBe("ids");
      expect(await content(recording(seed, rows + 3, 3, 64, topK), [rows + 3, 3, topK])).toBe("ids");
    }),
    { numRuns: drawn(30) },
  );
});

test("counts of steps are not taken for ids where each layer has an array of its own, however many tokens the steps have", async () => {
  const matrix = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    layers: fc.integer({ min: 2, max: 12 }),
    tokens: fc.array(fc.integer({ min: 60, max: 900 }), { minLength: 2, maxLength: 30 }),
    experts: fc.constantFrom(8, 16, 64),
  });
  await fc.assert(
    fc.asyncProperty(matrix, async ({ seed, layers, tokens, experts }) => {
      const arrays = Array.from({ length: layers }, (_value, layer): [string, Uint8Array] => {
        const values = tokens.flatMap((choices, step) => counts(seed + 100 * layer + step, 1, experts, choices));
        return [`layer_${layer}`, npy(Int32Array.from(values), [tokens.length, experts])];
      });
      const found = await openArrays(folder.write("steps.npz", npz(Object.fromEntries(arrays))));
      for (const content of await contentsOf(found, {})) expect(content).not.toBe("ids");
    }),
    { numRuns: drawn(30) },
  );
});

test("what is sure is taken, what is not is asked, and the answer counts", async () => {
  expect(await content(recording(1, 500, 1, 64, 8), [500, 8])).toBe("ids");
  expect(await content(counts(1, 6, 64, 900), [6, 64])).toBe("counts");
  expect(await content(counts(1, 6, 64, 900), [2, 3, 64])).toBe("counts");
  // Few tokens; layers that were not counted alike; rows of layers side by side; a mask.
  const few = [3, 9, 12, 4, 5, 1];
  const uneven = counts(1, 6, 64, 900).map((count, i) => (i < 64 ? 2 * count : count));
  const flat = recording(2, 40, 5, 64, 8);
  const mask = Array.from({ length: 64 }, (_value, i) => (i % 2 === 0 ? 1 : 0));
  for (const [values, shape] of [
    [few, [3, 2]],
    [uneven, [6, 64]],
    [flat, [40, 40]],
    [mask, [4, 16]],
  ] as const) {
    expect(await content(values, shape)).toBe("unclear");
    expect(await content(values, shape, { kind: "counts" })).toBe("counts");
    expect(await content(values, shape, { kind: "tokens" })).toBe("ids");
  }
  expect(await content(flat, [40, 40], { topK: 8 })).toBe("ids");
  expect(await content(uneven, [6, 64], {}, "expert_counts")).toBe("counts");
  expect(await content(few, [3, 2], {}, "topk_ids")).toBe("ids");
  // A name of the file does not outweigh the values.
  expect(await content(recording(1, 500, 1, 64, 8), [500, 8], {}, "word_count")).toBe("ids");
});

test("warm-up rows, which are all alike, are no counts of one sum", async () => {
  const dummies = Array.from({ length: 400 }, () => [3, 1, 4, 9]).flat();
  expect(await content(dummies, [400, 1, 4])).toBe("ids");
});

test("arrays are known by the names that writers give them", () => {
  const roles = {
    ids: ["routed_experts", "prompt_routed_experts", "expert_ids", "topk_ids", "selected_experts", "router.indices"],
    counts: ["logical_count", "counts", "expert_counts", "expert_load"],
    weights: ["weights", "topk_weights", "gating_probs", "expert_weights"],
    positions: ["positions", "position_ids", "token_idx"],
    sequence: ["sequence", "seq_ids", "request_id", "req_idx"],
    layers: ["layers", "layer_ids", "moe_layer_indices"],
    promptTokens: ["prompt_token_ids", "input_ids", "num_prompt_tokens"],
    outputTokens: ["output_token_ids", "completion_tokens"],
    experts: ["num_experts", "n_routed_experts"],
    topK: ["top_k", "topk", "num_experts_per_tok"],
    beside: ["router_logits", "scores", "attention_mask"],
    unnamed: ["req0", "data", "arr_0", "text"],
  };
  for (const [role, names] of Object.entries(roles))
    for (const name of names) expect([name, roleOf(name)]).toEqual([name, role]);
  expect(roleOfFile("/x/logical_count.npy")).toBe("counts");
  expect(roleOfFile("/x/olmoe_counts_c4.csv.gz")).toBe("counts");
  expect(roleOfFile("/x/account.npy")).toBe("unnamed");
});
