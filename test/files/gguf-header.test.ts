import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { type GgufHeader, readGgufHeader } from "../../src/files/gguf-header.ts";
import { ggufHeader, u64 } from "../models/gguf/write-gguf.ts";

/** A file of those bytes, with `behind` bytes of tensors that nobody may read; how much was read of it. */
function source(bytes: Uint8Array, behind = 0) {
  const reads = { calls: 0, bytes: 0, end: 0 };
  const read = (_path: string, offset: number, wanted: number): Promise<Uint8Array> => {
    const found = bytes.subarray(offset, Math.min(bytes.length + behind, offset + wanted));
    reads.calls += 1;
    reads.bytes += found.length;
    reads.end = Math.max(reads.end, offset + found.length);
    return Promise.resolve(found);
  };
  return { reads, header: (): Promise<GgufHeader> => readGgufHeader("x.gguf", read) };
}
const content = {
  metadata: {
    "general.architecture": "qwen3moe",
    "qwen3moe.block_count": 48,
    "qwen3moe.rope.freq_base": 0.5,
    "qwen3moe.flag": true,
    "qwen3moe.lists": [1, 2, 3],
    "tokenizer.ggml.tokens": ["a", "bc", ""],
    "tokenizer.ggml.token_type": Array.from({ length: 5000 }, () => 1),
    "tokenizer.chat_template": "x".repeat(10_000),
    "qwen3moe.last": 7,
  },
  tensors: [
    ["token_embd.weight", [2048, 151_936], 8],
    ["output_norm.weight", [2048], 0],
  ],
} as const;

test("metadata and tensors are read; texts, vocabularies and long lists are passed over", async () => {
  const bytes = ggufHeader(content);
  const { metadata, tensors } = await source(bytes).header();
  expect(Object.fromEntries(metadata)).toEqual({
    "general.architecture": "qwen3moe",
    "qwen3moe.block_count": 48,
    "qwen3moe.rope.freq_base": 0.5,
    "qwen3moe.flag": true,
    "qwen3moe.lists": [1, 2, 3],
    "qwen3moe.last": 7,
  });
  expect(tensors).toEqual([
    { name: "token_embd.weight", shape: [2048, 151_936], type: 8, offset: Math.ceil(bytes.length / 32) * 32 },
    { name: "output_norm.weight", shape: [2048], type: 0, offset: Math.ceil(bytes.length / 32) * 32 },
  ]);
});

test.each([1, 64, 4096])("tensors begin at the next multiple of an alignment of %d bytes", async (alignment) => {
  const bytes = ggufHeader({ ...content, metadata: { ...content.metadata, "general.alignment": alignment } });
  const [first] = (await source(bytes).header()).tensors;
  expect(first?.offset).toBe(Math.ceil(bytes.length / alignment) * alignment);
});

test("a vocabulary of megabytes is read once, in chunks", async () => {
  const tokens = Array.from({ length: 120_000 }, (_, i) => `token ${i} ${"x".repeat(i % 20)}`);
  const bytes = ggufHeader({ ...content, metadata: { ...content.metadata, "tokenizer.ggml.merges": tokens, end: 1 } });
  const { reads, header } = source(bytes);
  expect((await header()).metadata.get("end")).toBe(1);
  expect(reads.calls).toBeLessThan(bytes.length / (1 << 20) + 4);
  expect(reads.bytes).toBeLessThan(1.1 * bytes.length + (1 << 20));
});

describe("damaged and hostile headers are refused with their place", () => {
  const whole = ggufHeader(content);
  const withBytes = (at: number, bytes: Uint8Array): Buffer => {
    const copy = Buffer.from(whole);
    copy.set(bytes, at);
    return copy;
  };
  test.each([
    ["an empty file", Buffer.alloc(0), /whole header/],
    ["another file", Buffer.from("PK\x03\x04 not a gguf at all"), /a GGUF file/],
    ["another version", ggufHeader({ ...content, version: 1 }), /version 2 or 3/],
    ["the other byte order", withBytes(4, Buffer.from([0, 0, 0, 3])), /little-endian/],
    ["more tensors than any model", withBytes(8, u64(1n << 62n)), /at most 1000000 tensors/],
    ["more metadata than any model", withBytes(16, u64(1n << 40n)), /entries of metadata/],
    [
      "no alignment",
      ggufHeader({ ...content, metadata: { ...content.metadata, "general.alignment": 0 } }),
      /an alignment from 1 to 2\^20, found 0/,
    ],
    ["a key without an end", withBytes(24, u64(1n << 50n)), /bytes of a key/],
    ["a header without its end", whole.subarray(0, whole.length - 3), /whole header/],
  ])("%s", async (_what, bytes, message) => {
    await expect(source(bytes).header()).rejects.toThrow(message);
  });

  test("whatever bytes are flipped, the answer is a header or a refusal", async () => {
    const short = ggufHeader({ ...content, metadata: { "general.architecture": "llama", list: [1, 2, 3] } });
    await fc.assert(
      fc.asyncProperty(fc.nat(short.length - 1), fc.uint8Array({ minLength: 1, maxLength: 9 }), async (at, bytes) => {
        const copy = Buffer.from(short);
        copy.set(bytes.subarray(0, copy.length - at), at);
        await source(copy)
          .header()
          .catch((error: unknown) => expect(error).toBeInstanceOf(InvalidInputError));
      }),
    );
  });
});
