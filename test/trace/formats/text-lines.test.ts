import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { type TextLimits, textLines } from "../../../src/trace/text-lines.ts";
import { temporaryFolder } from "../routing-files.ts";

const folder = temporaryFolder();

async function linesOf(data: string | Uint8Array, limits?: TextLimits): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of textLines(folder.write("text", data), limits)) {
    expect(batch.firstLine).toBe(lines.length + 1);
    for (const line of batch.lines) lines.push(line);
  }
  return lines;
}

test("LF, CRLF and a missing last line end give the same lines, gzipped or not", async () => {
  for (const text of ["a\nb\nc\n", "a\r\nb\r\nc\r\n", "a\nb\r\nc"]) {
    expect(await linesOf(text)).toEqual(["a", "b", "c"]);
    expect(await linesOf(gzipSync(text))).toEqual(["a", "b", "c"]);
  }
  expect(await linesOf("")).toEqual([]);
  expect(await linesOf("a\n\nb")).toEqual(["a", "", "b"]);
});

test("lines longer than a read stay whole, and so do characters of several bytes", async () => {
  const lines = Array.from({ length: 5 }, (_value, i) => "é€".repeat(200_000 + i));
  expect(await linesOf(lines.join("\n"))).toEqual(lines);
});

test("decompressed size and line length are capped while reading", async () => {
  const bomb = gzipSync(Buffer.alloc(50 << 20, "x\n"));
  await expect(linesOf(bomb, { bytesMax: 1 << 20 })).rejects.toThrow(/after decompression/);
  await expect(linesOf("x".repeat(5_000_000), { lineCharsMax: 1_000_000 })).rejects.toThrow(/1000000 characters/);
});

test("truncated and corrupt gzip is refused", async () => {
  const bytes = gzipSync(Buffer.from(Array.from({ length: 20_000 }, (_value, i) => (i * i) % 251)));
  await expect(linesOf(bytes.subarray(0, bytes.length >> 1))).rejects.toThrow(InvalidInputError);
  const flipped = Uint8Array.from(bytes);
  flipped[bytes.length >> 1]! ^= 0xff;
  await expect(linesOf(flipped)).rejects.toThrow(InvalidInputError);
});

test("a missing file is refused by name", async () => {
  const read = async () => {
    for await (const _batch of textLines(folder.path("missing"))) break;
  };
  await expect(read()).rejects.toThrow(/missing.*a file that exists/);
});
