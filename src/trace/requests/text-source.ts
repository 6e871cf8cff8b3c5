import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";

/** Consecutive lines of a file, without their line ends. */
interface TextBatch {
  readonly lines: readonly string[];
  readonly firstLine: number;
}

const chunkBytes = 1 << 18;
const headChars = 1 << 16;
const lineCharsMax = 1 << 22;
const documentBytesMax = 1 << 28;

/**
 * A text file, plain or gzip (told by its magic bytes), read as a stream and once. Refuses more decompressed bytes than
 * the cap, lines longer than 4 Mi characters, whole documents above 256 MiB, and damaged or truncated gzip.
 */
export class TextSource {
  readonly file: string;
  /** First text of the file, enough to recognise its layout. */
  readonly head: string;
  private readonly chunks: AsyncGenerator<Uint8Array>;
  private readonly first: Uint8Array;
  private readonly hash: Sha256;

  private constructor(file: string, first: Uint8Array, chunks: AsyncGenerator<Uint8Array>, hash: Sha256) {
    this.file = file;
    this.first = first;
    this.chunks = chunks;
    this.hash = hash;
    this.head = new TextDecoder().decode(first.subarray(0, headChars));
  }

  static async open(file: string, decompressedBytesMax: number): Promise<TextSource> {
    const hash = new Sha256();
    const chunks = decompressed(file, decompressedBytesMax, hash);
    const first = await chunks.next();
    return new TextSource(file, first.done === true ? new Uint8Array(0) : first.value, chunks, hash);
  }

  /** The text in batches of whole lines, or in one batch if it has to be whole. */
  batches(unit: "lines" | "document"): AsyncGenerator<TextBatch> {
    return unit === "lines" ? this.#lines() : this.#document();
  }

  /** sha256 of the file's bytes as stored; call after the last batch. */
  digest(): string {
    return this.hash.hex();
  }

  async close(): Promise<void> {
    await this.chunks.return(undefined);
  }

  async *#lines(): AsyncGenerator<TextBatch> {
    const decoder = new TextDecoder();
    let rest = "";
    let firstLine = 1;
    for await (const chunk of this.#all()) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > lineCharsMax) {
        const expected = `lines of at most ${lineCharsMax} characters`;
        refuse({ file: this.file, line: firstLine + lines.length, expected, found: `${rest.length} characters` });
      }
      if (lines.length > 0) yield { lines: lines.map(withoutReturn), firstLine };
      firstLine += lines.length;
    }
    rest += decoder.decode();
    if (rest !== "") yield { lines: [withoutReturn(rest)], firstLine };
  }

  async *#document(): AsyncGenerator<TextBatch> {
    const decoder = new TextDecoder();
    const parts: string[] = [];
    let bytes = 0;
    for await (const chunk of this.#all()) {
      bytes += chunk.length;
      if (bytes > documentBytesMax)
        refuse({ file: this.file, expected: `a document of at most ${formatBytes(documentBytesMax)}` });
      parts.push(decoder.decode(chunk, { stream: true }));
    }
    parts.push(decoder.decode());
    yield { lines: [parts.join("")], firstLine: 1 };
  }

  async *#all(): AsyncGenerator<Uint8Array> {
    yield this.first;
    yield* this.chunks;
  }
}

const withoutReturn = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);

/** The file's bytes after gzip, if it is gzip; every stored byte goes through the hash. */
async function* decompressed(file: string, bytesMax: number, hash: Sha256): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const stored = hashed(createReadStream(file, { highWaterMark: chunkBytes }), hash);
  try {
    const first = await stored.next();
    if (first.done === true) return;
    const all = prepended(first.value, stored);
    const zipped = first.value[0] === 0x1f && first.value[1] === 0x8b;
    for await (const chunk of zipped ? gunzipped(all) : all) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        const expected = `at most ${formatBytes(bytesMax)} after decompression`;
        refuse({ file, expected, hint: "raise decompressedBytesMax if the file is to be trusted" });
      }
      yield chunk;
    }
    for await (const _ of stored); // what follows the last gzip member, so that the digest covers the whole file
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const damaged = code.startsWith("Z_");
    refuse({ file, expected: damaged ? "an intact gzip file" : "a readable file", found: code });
  }
}

function gunzipped(chunks: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  const unzip = createGunzip({ chunkSize: chunkBytes });
  // Errors of either end destroy `unzip`, whose reader then throws them.
  pipeline(Readable.from(chunks), unzip, () => {});
  return unzip;
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: Sha256): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* prepended(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
