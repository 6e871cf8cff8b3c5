import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import fc from "fast-check";
import { expect } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { importTrace } from "../../../src/trace/formats/import-trace.ts";
import type { TraceFormat } from "../../../src/trace/formats/importers.ts";
import { distinctIds, draws, npy, npz, safetensors, type temporaryFolder } from "../routing-files.ts";
import { gguf } from "./gguf-file.ts";

const draw = draws(21);
const ids = (rows: number, topK: number) => Array.from({ length: rows }, () => distinctIds(draw, 8, topK)).flat();
export const text = (lines: readonly (object | string)[]) =>
  new TextEncoder().encode(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
const float = (count: number) => Float32Array.from({ length: count }, () => draw(100) / 100);

/** A small valid file of every format. */
export const validFiles: Record<TraceFormat, { name: string; bytes: Uint8Array }> = {
  "routed-experts": {
    name: "routed.npz",
    bytes: npz({
      expert_ids: npy(Uint8Array.from(ids(20, 2)), [10, 2, 2]),
      weights: npy(float(40), [10, 2, 2]),
      layers: npy(Int32Array.of(1, 2), [2]),
    }),
  },
  "step-routing": { name: "a__1_2.npz", bytes: npz({ data: npy(BigInt64Array.from(ids(6, 2), BigInt), [6, 2]) }) },
  "problem-log": {
    name: "log.jsonl",
    bytes: text(
      [0, 1, 2, 3].flatMap((token) =>
        [0, 1].map((layer) => ({
          dataset: "d",
          problem_id: 1,
          layer,
          token_idx: token,
          experts: ids(1, 2),
          gating_probs: [0.5, 0.4],
        })),
      ),
    ),
  },
  "step-log": {
    name: "steps.jsonl",
    bytes: text([
      { type: "meta", model_id: "m" },
      ...[0, 1, 0, 1].map((token) => ({
        type: "route",
        req_id: "r",
        token_idx: token,
        layer: 0,
        topk_ids: ids(1, 2),
        topk_weights: [0.5, 0.4],
      })),
    ]),
  },
  "tensorrt-llm": {
    name: "rank0.safetensors",
    bytes: safetensors({ "1_0": { dtype: "U8", shape: [3, 2], data_offsets: [0, 6] } }, Uint8Array.from(ids(3, 2))),
  },
  "logical-count": {
    name: "logical.safetensors",
    bytes: safetensors(
      { logical_count: { dtype: "U8", shape: [2, 1, 4], data_offsets: [0, 8] } },
      Uint8Array.from(ids(8, 1)),
    ),
  },
  "batch-log": {
    name: "batches.jsonl",
    bytes: text(
      [0, 1].map((layer) => ({
        layer,
        batch_id: 1,
        topk_experts: [ids(1, 2), ids(1, 2), ids(1, 2)],
        topk_weights: [1, 2, 3].map(() => [0.5, 0.4]),
      })),
    ),
  },
  imatrix: {
    name: "imatrix.gguf",
    bytes: gguf(
      { "general.type": "imatrix" },
      { "blk.0.ffn_gate_exps.weight.counts": [4, 2, 0, 6], "blk.0.ffn_up_exps.weight.counts": [4, 2, 0, 6] },
    ),
  },
  "count-matrix": { name: "m.json", bytes: text(['{"logical_count": [[1, 2, 3], [2, 2, 2]]}']) },
  "expert-distribution": { name: "e.csv", bytes: text(["layer_id,expert_id,count", "0,1,5", "0,2,6", "1,0,2"]) },
  "domain-counts": { name: "c.json", bytes: text(['{"m/d/L0": [1, 2, 3], "m/d/L1": [4, 5, 6]}']) },
  "llama-cpp": { name: "moe_trace.csv", bytes: text(["0,1", "0,2", "1,3", "1,4", "0,5", "0,6", "1,0", "1,1"]) },
  table: {
    name: "table.csv",
    bytes: text([
      "token,layer,experts,weights",
      "0,1,1 2,0.5 0.4",
      "0,2,3 4,0.5 0.4",
      "1,1,5 6,0.5 0.4",
      "1,2,0 1,0.6 0.2",
    ]),
  },
};

type Folder = ReturnType<typeof temporaryFolder>;

export const attempt = (folder: Folder, format: TraceFormat | "auto", path: string) =>
  importTrace(format, [path], folder.path("out.safetensors"), { topK: 2 });

/** Changes bytes of the valid file of a format, and cuts some: it is imported or refused, soon, and leaves nothing behind. */
export async function importDamaged(folder: Folder, format: TraceFormat, numRuns: number): Promise<void> {
  const { name, bytes } = validFiles[format];
  const change = fc.record({
    at: fc.nat(bytes.length - 1),
    to: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x2c, 0x22, 0x39, 0xff)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(30), async (changes, cut) => {
      const broken = bytes.slice(0, bytes.length - (cut > 25 ? Math.min(cut, bytes.length) : 0));
      for (const { at, to } of changes) if (at < broken.length) broken[at] = to;
      const began = performance.now();
      const error = await attempt(folder, format, folder.write(name, broken)).catch((caught: unknown) => caught);
      if (error instanceof Error) expect(error).toBeInstanceOf(InvalidInputError);
      expect(performance.now() - began).toBeLessThan(5_000);
      expect(readdirSync(dirname(folder.path(name))).filter((other) => other.includes("partial"))).toEqual([]);
    }),
    { numRuns },
  );
}
