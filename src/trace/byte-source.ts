import type { FileHandle } from "node:fs/promises";
import { InvalidInputError, refuse } from "../core/errors.ts";
import { kindOf, openInput, unreadable } from "../files/read-input.ts";

/** Random access to the bytes of an input: a file on disk, or bytes in memory. */
export interface ByteSource {
  /** What problems call this input; usually the path. */
  readonly name: string;
  readonly bytes: number;
  /** Fills `target` from `offset`; refuses an input that ends before the target is full. */
  read(target: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file for random access. Refuses what cannot be opened or is not a regular file. */
export async function fileSource(path: string): Promise<ByteSource> {
  const { handle, facts } = await openInput(path);
  if (facts.isFile()) return new OpenFile(path, handle, facts.size);
  await handle.close();
  return refuse({ file: path, expected: "a regular file", found: kindOf(facts) });
}

/** Node refuses single reads of 2 GiB and more. */
const readBytesMax = 1 << 30;

class OpenFile implements ByteSource {
  readonly name: string;
  readonly bytes: number;
  readonly #handle: FileHandle;

  constructor(name: string, handle: FileHandle, bytes: number) {
    this.name = name;
    this.bytes = bytes;
    this.#handle = handle;
  }

  async read(target: Uint8Array, offset: number): Promise<void> {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await this.#handle
        .read(target, done, Math.min(target.length - done, readBytesMax), offset + done)
        .catch((error: Error) => refuse(unreadable(this.name, error)));
      if (bytesRead === 0) refuse(truncated(this.name, offset + target.length, offset + done));
      done += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Bytes that are already in memory, read like a file. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    bytes: bytes.length,
    async read(target, offset) {
      if (offset + target.length > bytes.length) refuse(truncated(name, offset + target.length, bytes.length));
      target.set(bytes.subarray(offset, offset + target.length));
    },
    async close() {},
  };
}

/** The bytes [from, to) in pieces of at most `pieceBytes`; each piece is a fresh array. */
export async function* pieces(
  source: ByteSource,
  from: number,
  to: number,
  pieceBytes = 1 << 20,
): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; at += pieceBytes) {
    const piece = new Uint8Array(Math.min(pieceBytes, to - at));
    await source.read(piece, at);
    yield piece;
  }
}

function truncated(file: string, expectedBytes: number, foundBytes: number) {
  return { file, expected: `at least ${expectedBytes} bytes`, found: foundBytes, hint: "the file is truncated" };
}

/** Runs `use` on an opened source and closes it whatever happens. */
export async function withFile<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await fileSource(path);
  try {
    return await use(source);
  } catch (error) {
    if (error instanceof RangeError)
      throw new InvalidInputError([{ file: path, expected: "sizes that fit in memory", hint: error.message }]);
    throw error;
  } finally {
    await source.close();
  }
}
