import { type FileHandle, open } from "node:fs/promises";
import { Sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import { writing } from "../../files/write-output.ts";
import { type ByteSource, fileSource, pieces } from "../../trace/byte-source.ts";

/** What a finished file of rows must still hold when a recording goes on. */
export interface RowFileMark {
  readonly bytes: number;
  readonly sha256: string;
}

/** Bytes written and hashed at a time: Node takes no 2 GiB at once. */
const pieceBytes = 1 << 26;

/** Writes rows of numbers one after another, little-endian; `finish` makes them durable. An unfinished file counts for nothing. */
export class RowWriter {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #digest = new Sha256();
  #bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<RowWriter> {
    return new RowWriter(path, await writing(path, () => open(path, "w")));
  }

  async append(values: ArrayBufferView): Promise<void> {
    for (let from = 0; from < values.byteLength; from += pieceBytes) {
      const length = Math.min(pieceBytes, values.byteLength - from);
      const piece = new Uint8Array(values.buffer, values.byteOffset + from, length);
      this.#digest.update(piece);
      await writing(this.#path, async () => {
        for (let done = 0; done < length; )
          done += (await this.#handle.write(piece, done, length - done, this.#bytes + done)).bytesWritten;
      });
      this.#bytes += length;
    }
  }

  async finish(): Promise<RowFileMark> {
    await writing(this.#path, async () => {
      await this.#handle.sync();
      await this.#handle.close();
    });
    return { bytes: this.#bytes, sha256: this.#digest.hex() };
  }

  /** Closes the file of a step that failed. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }
}

/** Reads rows of float32 values, `width` each. */
export class FloatRows {
  readonly #source: ByteSource;
  readonly #width: number;

  private constructor(source: ByteSource, width: number) {
    this.#source = source;
    this.#width = width;
  }

  static async open(path: string, width: number): Promise<FloatRows> {
    return new FloatRows(await fileSource(path), width);
  }

  /** Values of the rows [from, to) in an array of their own. */
  async read(from: number, to: number): Promise<Float32Array> {
    const rowBytes = this.#width * Float32Array.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array((to - from) * rowBytes);
    await this.#source.read(bytes, from * rowBytes);
    return new Float32Array(bytes.buffer);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/** Refuses a file that is not what it was when it was finished. */
export async function refuseChanged(path: string, mark: RowFileMark): Promise<void> {
  const found = await markOf(path);
  if (found.sha256 !== mark.sha256)
    refuse({
      file: path,
      expected: `${mark.bytes} bytes with sha256 ${mark.sha256.slice(0, 16)}, as they were written`,
      found: `${found.bytes} bytes with ${found.sha256.slice(0, 16)}`,
      hint: "--restart begins anew",
    });
}

/** sha256 and size of a file as it is now. */
export async function markOf(path: string): Promise<RowFileMark> {
  const source = await fileSource(path);
  try {
    const digest = new Sha256();
    for await (const piece of pieces(source, 0, source.bytes, 4 << 20)) digest.update(piece);
    return { bytes: source.bytes, sha256: digest.hex() };
  } finally {
    await source.close();
  }
}
