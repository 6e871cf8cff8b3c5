import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../../src/core/errors.ts";
import { printable } from "../../../src/core/printable.ts";
import { memorySource } from "../../../src/trace/byte-source.ts";
import { routingTraceOf } from "../../../src/trace/container/open-trace.ts";
import { encodeHeader } from "../../../src/trace/container/trace-header.ts";
import { loadCountsTable } from "../../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { drawn } from "../../drawn.ts";
import { distinctIds, draws, headerOf, safetensors, temporaryFolder, writeRows } from "../routing-files.ts";

const folder = temporaryFolder();

async function read(bytes: Uint8Array): Promise<void> {
  const file = await routingTraceOf(memorySource("hostile.safetensors", bytes));
  if (file.header.kind === "counts") await loadCountsTable(file);
  else await loadRoutingTable(file);
  for (const layer of file.header.layers.keys()) if (file.hasWeights) await file.readWeights(layer, 0, file.rows);
}

async function problemsOf(bytes: Uint8Array): Promise<readonly Problem[]> {
  try {
    await read(bytes);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  return [];
}

const metadata = encodeHeader(headerOf({ layers: [0] }));
/** One row of one layer; parts may be replaced. */
function oneRow(given: { metadata?: object; tensors?: object; data?: readonly number[] } = {}): Uint8Array {
  const tensors = {
    sequence: { dtype: "U32", shape: [1], data_offsets: [0, 4] },
    "experts.0": { dtype: "U8", shape: [1, 2], data_offsets: [4, 6] },
    ...given.tensors,
  };
  return safetensors(
    { __metadata__: { ...metadata, ...given.metadata }, ...tensors },
    Uint8Array.from(given.data ?? [0, 0, 0, 0, 3, 1]),
  );
}

test("the smallest trace is accepted", async () => {
  expect(await problemsOf(oneRow())).toEqual([]);
});

test("a recording that was not imported is refused with the command that does", async () => {
  for (const text of [
    "layer,token,expert\n0,0,13\n",
    '{"layer": 3, "topk_ids": [1, 2]}\n',
    "\x93NUMPY\x01\x00\x76\x00",
  ])
    expect(await problemsOf(new TextEncoder().encode(text))).toMatchObject([
      { hint: "moecast trace import makes a trace of a recording" },
    ]);
});

test("a header length beyond the file is refused before anything is allocated", async () => {
  for (const length of [1n << 60n, (1n << 64n) - 1n, 1n << 53n, 1000n])
    expect(await problemsOf(safetensors("{}", new Uint8Array(0), length))).toMatchObject([
      { at: "header length", found: length },
    ]);
});

test("a truncated file is refused at every length", async () => {
  const whole = oneRow();
  for (let length = 0; length < whole.length; length++)
    expect(await problemsOf(whole.subarray(0, length)), `${length} bytes`).not.toEqual([]);
});

const refusals: Record<string, [at: string, given: Parameters<typeof oneRow>[0]]> = {
  "overlapping tensors": [
    "tensor experts.0",
    { tensors: { "experts.0": { dtype: "U8", shape: [1, 2], data_offsets: [3, 5] } } },
  ],
  "a hole between tensors": [
    "tensor experts.0",
    { tensors: { "experts.0": { dtype: "U8", shape: [1, 2], data_offsets: [5, 7] } }, data: [0, 0, 0, 0, 9, 3, 1] },
  ],
  "a shape whose product overflows": [
    "tensor experts.0",
    { tensors: { "experts.0": { dtype: "U8", shape: [4294967296, 4294967296], data_offsets: [4, 6] } } },
  ],
  "a shape larger than its data": [
    "tensor experts.0",
    { tensors: { "experts.0": { dtype: "U8", shape: [2, 2], data_offsets: [4, 6] } } },
  ],
  "an unknown dtype": [
    "tensor experts.0",
    { tensors: { "experts.0": { dtype: "C64", shape: [1, 2], data_offsets: [4, 6] } } },
  ],
  "a dtype of model weights": [
    "tensor experts.0",
    { tensors: { "experts.0": { dtype: "BF16", shape: [1, 1], data_offsets: [4, 6] } } },
  ],
  "offsets backwards": [
    "tensor experts.0",
    { tensors: { "experts.0": { dtype: "U8", shape: [1, 2], data_offsets: [6, 4] } } },
  ],
  "another format version": ["__metadata__.version", { metadata: { version: "2" } }],
  "more experts per token than experts": ["__metadata__.top_k", { metadata: { top_k: "9" } }],
  "layers out of order": ["__metadata__.layers", { metadata: { layers: "[2,1]" } }],
  "a domain named twice": ["__metadata__.domains", { metadata: { domains: '["a","a"]' } }],
  "metadata that is no text": ["__metadata__.experts", { metadata: { experts: 8 } }],
  "a missing layer": ["tensor experts.1", { metadata: { layers: "[0,1]" } }],
  "a tensor that is not part of a trace": [
    "tensor extra",
    { tensors: { extra: { dtype: "U8", shape: [1], data_offsets: [6, 7] } }, data: [0, 0, 0, 0, 3, 1, 0] },
  ],
  "an id that is no expert": ["experts.0 row 0", { data: [0, 0, 0, 0, 3, 8] }],
  "an expert twice in a row": ["experts.0 row 0", { data: [0, 0, 0, 0, 3, 3] }],
  "half an absent row": ["experts.0 row 0", { data: [0, 0, 0, 0, 255, 3] }],
  "a sequence number out of order": ["row 0", { data: [7, 0, 0, 0, 3, 1] }],
};

for (const [what, [at, given]] of Object.entries(refusals))
  test(`${what}: refused with its place`, async () => {
    expect((await problemsOf(oneRow(given)))[0]).toMatchObject({ file: "hostile.safetensors", at });
  });

test("every wrong row is named, absent rows between them pass", async () => {
  const tensors = {
    sequence: { dtype: "U32", shape: [5], data_offsets: [0, 20] },
    "experts.0": { dtype: "U8", shape: [5, 2], data_offsets: [20, 30] },
  };
  const data = [...Array(20).fill(0), 3, 3, 255, 255, 0, 1, 1, 9, 0, 7];
  expect((await problemsOf(oneRow({ tensors, data }))).map(({ at, found }) => [at, found])).toEqual([
    ["experts.0 row 0", [3, 3]],
    ["experts.0 row 3", [1, 9]],
  ]);
});

test("a NaN weight is refused with its row", async () => {
  const tensors = { "weights.0": { dtype: "F32", shape: [1, 2], data_offsets: [6, 14] } };
  const data = [0, 0, 0, 0, 3, 1, 0, 0, 0, 63, 0, 0, 192, 127];
  expect(await problemsOf(oneRow({ tensors, data }))).toMatchObject([{ at: "weights.0 row 0", found: "NaN" }]);
});

test("prototype keys and infinite numbers in the header are refused", async () => {
  const evil = (text: string) => safetensors(text, new Uint8Array(0));
  for (const text of [
    '{"__proto__": {"x": 1}}',
    '{"__metadata__": {"constructor": "x"}}',
    '{"a": 1e999}',
    "[]",
    "7",
    "{",
  ])
    expect(await problemsOf(evil(text)), text).not.toEqual([]);
  expect(await problemsOf(oneRow({ metadata: { provenance: '{"__proto__": {"polluted": true}}' } }))).not.toEqual([]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("escape sequences in names do not reach the message", async () => {
  const bytes = oneRow({ tensors: { "\u001b[31mred\u0007": { dtype: "U8", shape: [9], data_offsets: [0, 4] } } });
  const error = await read(bytes).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InvalidInputError);
  expect((error as Error).message).toContain("red");
  expect((error as Error).message).toBe(printable((error as Error).message));
});

test("every problem of a header is reported, not only the first", async () => {
  const bytes = oneRow({ metadata: { kind: "rows", experts: "0", layers: "[]" } });
  expect((await problemsOf(bytes)).map(({ at }) => at)).toEqual(
    expect.arrayContaining(["__metadata__.kind", "__metadata__.experts", "__metadata__.layers"]),
  );
});

test("a valid file with changed bytes is read or refused, never anything else, and soon", async () => {
  const draw = draws(7);
  const rows = Array.from({ length: 40 }, (_value, i) => ({
    sequence: Math.floor(i / 10),
    domain: Math.floor(i / 20),
    layers: [0, 1, 2].map((layer) => (i === 13 && layer === 2 ? null : distinctIds(draw, 8, 2))),
  }));
  const valid = readFileSync(
    await writeRows(folder.path("valid.safetensors"), headerOf({ domains: ["a", "b"] }), rows),
  );
  const headerEnd = 8 + Number(valid.readBigUInt64LE(0));
  const place = fc.oneof(fc.integer({ min: 0, max: headerEnd - 1 }), fc.integer({ min: 0, max: valid.length - 1 }));
  const change = fc.record({ at: place, to: fc.integer({ min: 0, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(40), async (changes, cut) => {
      const bytes = Uint8Array.from(valid.subarray(0, valid.length - (cut > 35 ? cut : 0)));
      for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
      const began = performance.now();
      await problemsOf(bytes);
      expect(performance.now() - began).toBeLessThan(2_000);
    }),
    { numRuns: drawn(1_000) },
  );
});
