import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { OutputError } from "../core/errors.ts";
import { PipeTimeout, pipePatience, pipeToWrite } from "./named-pipe.ts";
import { type OutputPlace, outputPlace } from "./output-place.ts";
import { causeOf, isSystemError } from "./system-error.ts";
import { forgotten, temporary } from "./temporaries.ts";

/** An output that is written from its beginning to its end. */
export interface OutputStream {
  append(data: Uint8Array | string): Promise<void>;
}

/** An output that is written in any order. */
export interface OutputFile extends OutputStream {
  writeAt(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes the file so long; what is not written reads as zeros. */
  resize(bytes: number): Promise<void>;
}

/**
 * Writes an output through `fill`. A regular file is written beside its place and renamed when it is complete and on the
 * disk, so that every reader sees the old file or the new, also where several processes write it; a symbolic link keeps
 * leading to it. Pipes and devices are written in place. What the operating system refuses is an OutputError.
 */
export async function writeOutput(path: string, fill: (output: OutputStream) => Promise<void>): Promise<void> {
  const place = await outputPlace(path);
  if (place.kind === "file") return replaceFile(path, place, fill);
  const output = await writing(path, () => inPlace(place));
  try {
    await fill({ append: (data) => writing(path, () => output.append(data)) });
  } finally {
    await writing(path, () => output.close());
  }
}

/** The same for a format that is not written in order. Pipes and devices are refused. */
export async function writeOutputFile(path: string, fill: (output: OutputFile) => Promise<void>): Promise<void> {
  await replaceFile(path, regularFile(path, await outputPlace(path)), fill);
}

/** Refuses a place that is not written in any order. */
export function regularFile(path: string, place: OutputPlace): OutputPlace & { readonly kind: "file" } {
  if (place.kind === "file") return place;
  const found = { pipe: "a named pipe", device: "a device", standard: "an open stream" }[place.kind];
  throw new OutputError(path, `expected a regular file, as its format is not written in order, found ${found}`);
}

/** Adds a text to a file, or makes the file. A failure leaves the file as it was. */
export async function appendOutput(path: string, text: string): Promise<void> {
  const place = await outputPlace(path);
  if (place.kind !== "file") return writeOutput(path, (output) => output.append(text));
  await writing(path, async () => {
    const handle = await open(place.path, "a");
    const { size } = await handle.stat();
    try {
      await handle.appendFile(text);
      await handle.sync();
    } catch (error) {
      await (place.mode === null ? rm(place.path, { force: true }) : handle.truncate(size)).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
  });
}

async function replaceFile(
  path: string,
  { path: target, mode }: OutputPlace & { readonly kind: "file" },
  fill: (output: OutputFile) => Promise<void>,
): Promise<void> {
  const beside = partialName(target);
  // Exclusive: a name that is there, were it a link, is not followed.
  const handle = await writing(path, () => open(beside, "wx", mode ?? 0o666));
  temporary(beside);
  try {
    await fill(new NewFile(path, handle));
    await writing(path, async () => {
      if (mode !== null) await keepOwner(handle, target, mode);
      await handle.sync();
      await handle.close();
      await rename(beside, target);
    });
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(beside, { force: true }).catch(() => {});
    throw error;
  } finally {
    forgotten(beside);
  }
}

/** Characters of a file's name that its temporary name repeats: the system takes 255 bytes in all. */
const nameChars = 48;

/** A name beside a file that no other process has, and by which what a killed one left is known. */
const partialName = (target: string): string =>
  join(
    dirname(target),
    `.${basename(target).slice(0, nameChars)}.${process.pid}-${randomBytes(6).toString("hex")}.moecast-partial`,
  );

/** The new file is readable by whom the old one was. */
async function keepOwner(handle: FileHandle, target: string, mode: number): Promise<void> {
  const { uid, gid } = await stat(target);
  // Only a privileged user can give a file away; the mode is set last, as a change of owner takes parts of it back.
  await handle.chown(uid, gid).catch(() => {});
  await handle.chmod(mode);
}

class NewFile implements OutputFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #end = 0;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  async append(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    await this.writeAt(bytes, this.#end);
    this.#end += bytes.length;
  }

  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    await writing(this.#path, () => writeWhole(this.#handle, bytes, position));
  }

  async resize(bytes: number): Promise<void> {
    await writing(this.#path, () => this.#handle.truncate(bytes));
  }
}

/** Node refuses single writes of 2 GiB and more. */
const writeBytesMax = 1 << 30;

async function writeWhole(handle: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    done += (await handle.write(bytes, done, Math.min(bytes.length - done, writeBytesMax), at)).bytesWritten;
  }
}

interface OpenStream extends OutputStream {
  close(): Promise<void>;
}

async function inPlace(place: Exclude<OutputPlace, { kind: "file" }>): Promise<OpenStream> {
  if (place.kind === "standard") return ontoStream(process[place.stream], async () => {});
  if (place.kind === "pipe") {
    const socket = await pipeToWrite(place.path, pipePatience);
    return ontoStream(
      socket,
      () =>
        new Promise((resolve) => {
          socket.once("close", resolve).end(() => socket.destroy());
          if (socket.destroyed) resolve();
        }),
    );
  }
  const handle = await open(place.path, constants.O_WRONLY | constants.O_NOCTTY);
  return {
    append: (data) => writeWhole(handle, typeof data === "string" ? Buffer.from(data) : data, null),
    close: () => handle.close(),
  };
}

function ontoStream(stream: Writable, close: () => Promise<void>): OpenStream {
  const append = (data: Uint8Array | string): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.once("error", reject);
      stream.write(data, (error) => {
        stream.off("error", reject);
        if (error) reject(error);
        else resolve();
      });
    });
  return { append, close };
}

/** Runs something that writes to a path; what the operating system refuses becomes an OutputError. */
export async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isSystemError(error) || error instanceof PipeTimeout) throw new OutputError(path, causeOf(error));
    throw error;
  }
}
