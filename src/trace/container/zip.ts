import { Inflate } from "fflate";
import { InvalidInputError, refuse } from "../../core/errors.ts";
import { type ByteSource, pieces } from "../byte-source.ts";
import { crc32 } from "./crc32.ts";

/** One stored or deflated member of a ZIP file. */
export interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  readonly compressedBytes: number;
  /** Size after decompression, as the directory declares it; more is refused while reading. */
  readonly bytes: number;
  readonly crc: number;
  readonly headerOffset: number;
}

export interface ZipLimits {
  /** Decompressed bytes all members may declare together. */
  readonly bytesMax?: number;
}

const entriesMax = 100_000;
const directoryBytesMax = 32 * 1024 * 1024;
const zipBytesMax = 64 * 1024 * 1024 * 1024;
/** Deflate cannot expand further than about 1 032 to 1. */
const expansionMax = 1_040;

/**
 * Reads the central directory of a ZIP file (ZIP64 too). Refuses what a decompression bomb needs: declared sizes beyond
 * the budget or beyond what deflate can reach, and members that share bytes.
 */
export async function readZipDirectory(source: ByteSource, limits: ZipLimits = {}): Promise<ZipEntry[]> {
  const file = source.name;
  const { count, offset, bytes } = await locateDirectory(source);
  if (count > entriesMax) refuse({ file, expected: `at most ${entriesMax} members`, found: count });
  if (bytes > directoryBytesMax || offset + bytes > source.bytes)
    refuse({
      file,
      at: "central directory",
      expected: "a directory inside the file",
      found: `${bytes} bytes at ${offset}`,
    });
  const directory = new Uint8Array(bytes);
  await source.read(directory, offset);
  const entries: ZipEntry[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const read = readDirectoryEntry(directory, at, file);
    entries.push(read.entry);
    at = read.next;
  }
  checkSizes(entries, offset, limits.bytesMax ?? zipBytesMax, file);
  return entries;
}

/** The decompressed bytes of a member, streamed; refuses more or fewer than declared, and a wrong checksum. */
export async function* zipMember(source: ByteSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const wrong = (expected: string, found?: unknown): never =>
    refuse({ file: source.name, at: entry.name, expected, ...(found === undefined ? {} : { found }) });
  const local = new Uint8Array(30);
  await source.read(local, entry.headerOffset);
  const view = new DataView(local.buffer);
  if (view.getUint32(0, true) !== 0x04034b50) wrong("a local file header");
  const begin = entry.headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  const compressed = pieces(source, begin, begin + entry.compressedBytes, entry.deflated ? 1 << 14 : 1 << 20);
  let bytes = 0;
  let crc = 0;
  for await (const piece of entry.deflated ? inflated(compressed, entry.compressedBytes, wrong) : compressed) {
    bytes += piece.length;
    if (bytes > entry.bytes) wrong(`${entry.bytes} decompressed bytes as declared`, "more");
    crc = crc32(piece, crc);
    yield piece;
  }
  if (bytes !== entry.bytes) wrong(`${entry.bytes} decompressed bytes as declared`, bytes);
  if (crc !== entry.crc) wrong("a matching checksum", "corrupt data");
}

async function* inflated(
  compressed: AsyncGenerator<Uint8Array>,
  compressedBytes: number,
  wrong: (expected: string, found?: unknown) => never,
): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const inflate = new Inflate((piece) => ready.push(piece));
  let pushed = 0;
  for await (const piece of compressed) {
    pushed += piece.length;
    try {
      inflate.push(piece, pushed === compressedBytes);
    } catch (error) {
      if (error instanceof InvalidInputError) throw error;
      wrong("intact deflate data", (error as Error).message);
    }
    yield* ready;
    ready = [];
  }
}

async function locateDirectory(source: ByteSource): Promise<{ count: number; offset: number; bytes: number }> {
  const file = source.name;
  // The end record is 22 bytes and may be followed by a comment of up to 65 535.
  const tail = new Uint8Array(Math.min(source.bytes, 22 + 0xffff));
  await source.read(tail, source.bytes - tail.length);
  const view = new DataView(tail.buffer);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) refuse({ file, expected: "a ZIP (npz) file with its end record", hint: "the file may be truncated" });
  const plain = {
    count: view.getUint16(end + 10, true),
    bytes: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  };
  if (plain.count !== 0xffff && plain.bytes !== 0xffffffff && plain.offset !== 0xffffffff) return plain;
  if (end < 20 || view.getUint32(end - 20, true) !== 0x07064b50)
    refuse({ file, at: "end record", expected: "a ZIP64 locator" });
  const record = new Uint8Array(56);
  await source.read(record, safe(view.getBigUint64(end - 12, true), file));
  const wide = new DataView(record.buffer);
  if (wide.getUint32(0, true) !== 0x06064b50) refuse({ file, expected: "a ZIP64 end record" });
  return {
    count: safe(wide.getBigUint64(32, true), file),
    bytes: safe(wide.getBigUint64(40, true), file),
    offset: safe(wide.getBigUint64(48, true), file),
  };
}

function readDirectoryEntry(directory: Uint8Array, at: number, file: string): { entry: ZipEntry; next: number } {
  const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength);
  const inside = (end: number) => {
    if (end > directory.length) refuse({ file, at: "central directory", expected: "complete entries" });
  };
  inside(at + 46);
  if (view.getUint32(at, true) !== 0x02014b50)
    refuse({ file, at: "central directory", expected: "an entry signature" });
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  inside(extraEnd);
  const name = new TextDecoder().decode(directory.subarray(at + 46, nameEnd));
  if ((flags & 1) !== 0) refuse({ file, at: name, expected: "a member without encryption" });
  if (method !== 0 && method !== 8)
    refuse({ file, at: name, expected: "a stored or deflated member", found: `method ${method}` });

  // Sizes of 2^32 - 1 stand in the ZIP64 extra field, in this order, only those that overflowed.
  const sizes = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  for (let extra = nameEnd; extra + 4 <= extraEnd; ) {
    const length = view.getUint16(extra + 2, true);
    let value = extra + 4;
    if (view.getUint16(extra, true) === 1)
      for (const [i, size] of sizes.entries()) {
        if (size !== 0xffffffff) continue;
        inside(value + 8);
        sizes[i] = safe(view.getBigUint64(value, true), file);
        value += 8;
      }
    extra += 4 + length;
  }
  const [bytes = 0, compressedBytes = 0, headerOffset = 0] = sizes;
  const crc = view.getUint32(at + 16, true);
  return {
    entry: { name, deflated: method === 8, compressedBytes, bytes, crc, headerOffset },
    next: extraEnd + view.getUint16(at + 32, true),
  };
}

function checkSizes(entries: readonly ZipEntry[], directoryOffset: number, bytesMax: number, file: string): void {
  let declared = 0;
  let free = 0;
  for (const entry of [...entries].sort((a, b) => a.headerOffset - b.headerOffset)) {
    declared += entry.bytes;
    if (entry.bytes > entry.compressedBytes * (entry.deflated ? expansionMax : 1))
      refuse({ file, at: entry.name, expected: "a size that its compressed bytes can give", found: entry.bytes });
    if (entry.headerOffset < free)
      refuse({ file, at: entry.name, expected: "members that do not overlap", found: `offset ${entry.headerOffset}` });
    free = entry.headerOffset + 30 + entry.compressedBytes;
    if (free > directoryOffset) refuse({ file, at: entry.name, expected: "data before the central directory" });
  }
  if (declared > bytesMax) refuse({ file, expected: `at most ${bytesMax} decompressed bytes`, found: declared });
}

function safe(value: bigint, file: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse({ file, expected: "sizes below 2^53", found: value });
  return Number(value);
}
