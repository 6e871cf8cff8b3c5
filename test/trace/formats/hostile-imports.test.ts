import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { printable } from "../../../src/core/printable.ts";
import { importTrace } from "../../../src/trace/formats/import-trace.ts";
import { importers, type TraceFormat } from "../../../src/trace/formats/importers.ts";
import { distinctIds, draws, npy, npz, safetensors, temporaryFolder } from "../routing-files.ts";
import { gguf } from "./gguf-file.ts";

const folder = temporaryFolder();
const draw = draws(21);
const ids = (rows: number, topK: number) => Array.from({ length: rows }, () => distinctIds(draw, 8, topK)).flat();
const text = (lines: readonly (object | string)[]) =>
  new TextEncoder().encode(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
const float = (count: number) => Float32Array.from({ length: count }, () => draw(100) / 100);

/** A small valid file of every format. */
const valid: Record<TraceFormat, { name: string; bytes: Uint8Array }> = {
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

const output = folder.path("out.safetensors");
const attempt = (format: TraceFormat | "auto", path: string) => importTrace(format, [path], output, { topK: 2 });

for (const [format, { name, bytes }] of Object.entries(valid) as [TraceFormat, { name: string; bytes: Uint8Array }][]) {
  test(`${format}: recognised, and with changed bytes imported or refused, never anything else`, async () => {
    const path = folder.write(name, bytes);
    expect((await attempt("auto", path)).format).toBe(format);
    const change = fc.record({
      at: fc.nat(bytes.length - 1),
      to: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x2c, 0x22, 0x39, 0xff)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(30), async (changes, cut) => {
        const broken = bytes.slice(0, bytes.length - (cut > 25 ? Math.min(cut, bytes.length) : 0));
        for (const { at, to } of changes) if (at < broken.length) broken[at] = to;
        const began = performance.now();
        const error = await attempt(format, folder.write(name, broken)).catch((caught: unknown) => caught);
        if (error instanceof Error) expect(error).toBeInstanceOf(InvalidInputError);
        expect(performance.now() - began).toBeLessThan(5_000);
        expect(readdirSync(dirname(output)).filter((name) => name.includes("partial"))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
}

test("every importer has a valid file in this test", () => {
  expect(Object.keys(valid).sort()).toEqual(Object.keys(importers).sort());
});

test("a file of one format is refused by the importers of the others", async () => {
  for (const [format, { name, bytes }] of Object.entries(valid))
    for (const other of Object.keys(importers) as TraceFormat[]) {
      if (other === format) continue;
      const error = await attempt(other, folder.write(name, bytes)).catch((caught: unknown) => caught);
      if (error instanceof Error) expect(error, `${name} as ${other}`).toBeInstanceOf(InvalidInputError);
    }
});

test("a compressed log that unfolds to gigabytes of one line is refused without keeping it", async () => {
  const bomb = gzipSync(Buffer.alloc(100 << 20, "x"));
  await expect(attempt("problem-log", folder.write("bomb.jsonl.gz", bomb))).rejects.toThrow(/characters/);
});

test("a token number that would make a huge empty trace is refused", async () => {
  const line = { dataset: "d", problem_id: 1, layer: 0, token_idx: 4_000_000_000, experts: [1, 2] };
  await expect(attempt("problem-log", folder.write("far.jsonl", text([line])))).rejects.toThrow(InvalidInputError);
});

test("names with escape sequences do not reach the message", async () => {
  const path = folder.write("esc.npz", npz({ "\u001b[31mids": npy(Uint8Array.of(1, 1), [1, 1, 2]) }));
  const error = (await attempt("auto", path).catch((caught: unknown) => caught)) as Error;
  expect(error).toBeInstanceOf(InvalidInputError);
  expect(error.message).toBe(printable(error.message));
});
