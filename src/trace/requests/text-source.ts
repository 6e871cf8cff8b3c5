import { Sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import { JsonCutter, type JsonPiece, jsonPieces } from "../json-cutter.ts";
import { type LineBatch, linesOf, plainBytes } from "../text-lines.ts";

const headChars = 1 << 16;
const lineCharsMax = 1 << 22;
const documentBytesMax = 1 << 28;

/**
 * A text file, plain or gzip, read as a stream and once, whose layout is recognised by its head before its lines are read.
 * Refuses more decompressed bytes than the cap, lines longer than 4 Mi characters and whole documents above 256 MiB.
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
    const chunks = plainBytes(file, { bytesMax: decompressedBytesMax, stored: (bytes) => hash.update(bytes) });
    const first = await chunks.next();
    return new TextSource(file, first.done === true ? new Uint8Array(0) : first.value, chunks, hash);
  }

  /** The text in batches of whole lines, or in one batch if it has to be whole. */
  batches(unit: "lines" | "document"): AsyncGenerator<LineBatch> {
    return unit === "lines" ? linesOf(this.#all(), this.file, lineCharsMax) : this.#document();
  }

  /** The elements of a JSON array, in batches. */
  elements(): AsyncGenerator<readonly JsonPiece[]> {
    return jsonPieces(this.#all(), new JsonCutter(this.file, true, lineCharsMax));
  }

  /** sha256 of the file's bytes as stored; call after the last batch. */
  digest(): string {
    return this.hash.hex();
  }

  async close(): Promise<void> {
    await this.chunks.return(undefined);
  }

  async *#document(): AsyncGenerator<LineBatch> {
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
