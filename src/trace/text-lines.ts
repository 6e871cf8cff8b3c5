import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { InvalidInputError, refuse } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import { unreadable } from "../files/read-input.ts";
import { withFile } from "./byte-source.ts";

export interface TextLimits {
  /** Decompressed bytes a file may have. */
  readonly bytesMax?: number;
  /** Characters a line may have. */
  readonly lineCharsMax?: number;
  /** Sees every byte as stored, before decompression; for digests. */
  readonly stored?: (bytes: Uint8Array) => void;
}

/** Consecutive lines of a text file without their line ends. */
export interface LineBatch {
  readonly lines: readonly string[];
  /** Number of `lines[0]` in the file, from 1. */
  readonly firstLine: number;
}

/** Text that is compressed further than this is a bomb; looked at from so many bytes on, as a short file says little. */
const expansionMax = 200;
const expansionBytesMin = 64 * 1024 * 1024;
const limits = { bytesMax: 64 * 1024 * 1024 * 1024, lineCharsMax: 16 * 1024 * 1024 };
const chunkBytes = 1 << 18;

/**
 * Lines of a text file, plain or gzipped (told apart by the first two bytes), streamed. LF and CRLF end a line, a last
 * line without an end counts. Refuses more decompressed bytes or longer lines than the limits, and broken gzip.
 */
export function textLines(path: string, given: TextLimits = {}): AsyncGenerator<LineBatch> {
  return linesOf(plainBytes(path, given), path, given.lineCharsMax ?? limits.lineCharsMax);
}

/** The lines of decompressed bytes that come in pieces; see {@link textLines}. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  path: string,
  lineCharsMax: number,
): AsyncGenerator<LineBatch> {
  const decoder = new TextDecoder();
  const clean = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);
  // The unfinished last line, in the pieces it arrived in: joined once, however long it is.
  let open: string[] = [];
  let openChars = 0;
  let firstLine = 1;
  const extend = (piece: string) => {
    open.push(piece);
    openChars += piece.length;
    if (openChars > lineCharsMax)
      refuse({ file: path, line: firstLine, expected: `lines of at most ${lineCharsMax} characters` });
  };
  for await (const bytes of pieces) {
    const [head = "", ...lines] = decoder.decode(bytes, { stream: true }).split("\n");
    extend(head);
    const last = lines.pop();
    if (last === undefined) continue;
    yield { lines: [open.join(""), ...lines].map(clean), firstLine };
    firstLine += lines.length + 1;
    open = [];
    openChars = 0;
    extend(last);
  }
  const rest = open.join("") + decoder.decode();
  if (rest !== "") yield { lines: [clean(rest)], firstLine };
}

/** The bytes of a file, decompressed when it starts with the gzip magic, streamed under a size limit. */
export async function* plainBytes(path: string, given: TextLimits = {}): AsyncGenerator<Uint8Array> {
  const { bytesMax } = { ...limits, ...given };
  const gzipped = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const { stored } = given;
  let storedBytes = 0;
  const source = seen(file, (chunk) => {
    storedBytes += chunk.length;
    stored?.(chunk);
  });
  // A pipeline, so that an error or an early end of either stream closes both.
  const stream = gzipped ? pipeline(source, createGunzip({ chunkSize: chunkBytes }), () => {}) : source;
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        const expected = `at most ${formatBytes(bytesMax)} after decompression`;
        refuse({ file: path, expected, found: "more" });
      }
      if (bytes > Math.max(expansionBytesMin, storedBytes * expansionMax))
        refuse({ file: path, expected: `text that is compressed to no less than 1/${expansionMax}`, found: "less" });
      yield chunk;
    }
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    refuse(
      code?.startsWith("Z_")
        ? { file: path, expected: "an intact gzip file", hint: message }
        : unreadable(path, error as Error),
    );
  } finally {
    file.destroy();
  }
}

async function* seen(chunks: AsyncIterable<Uint8Array>, see: (bytes: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    see(chunk);
    yield chunk;
  }
}

async function isGzip(path: string): Promise<boolean> {
  return withFile(path, async (source) => {
    if (source.bytes < 2) return false;
    const magic = new Uint8Array(2);
    await source.read(magic, 0);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  });
}
