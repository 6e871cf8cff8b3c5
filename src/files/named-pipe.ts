import { constants, openSync } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { formatDuration } from "../core/units.ts";
import { notice } from "./notices.ts";

/** How long the other end of a named pipe is waited for, and who hears after how long that it is. */
export interface PipePatience {
  readonly noticeMs: number;
  readonly timeoutMs: number;
  readonly say: (line: string) => void;
}

export const pipePatience: PipePatience = {
  noticeMs: 1000,
  timeoutMs: 30_000,
  say: notice,
};

const pollMs = 50;

/** Nobody did what a pipe was waiting for in time. */
export class PipeTimeout extends Error {}

/**
 * The bytes that come through a pipe, or from a device, until its writers have gone. They have to come, to their end, within the time given.
 * Reads do not wait in the system, where neither an interrupt nor a time limit would reach them.
 */
export async function* pipeBytes(path: string, patience = pipePatience): AsyncGenerator<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const ends = !(await handle.stat()).isFIFO() || (await isNameless(handle.fd));
    let come = false;
    for (let waitedMs = 0; ; ) {
      const bytes = await readNow(handle);
      if (bytes !== null && bytes.length > 0) {
        come = true;
        yield bytes;
        continue;
      }
      // Without a writer a read gives nothing: before the first writer of a named pipe, and after the last of any.
      if (bytes !== null && (come || ends)) return;
      if (waitedMs >= patience.timeoutMs)
        throw new PipeTimeout(`${come ? "its end did not come" : "nothing came"} in ${seconds(patience)}`);
      if (!come && waitedMs < patience.noticeMs && waitedMs + pollMs >= patience.noticeMs)
        patience.say(`waiting for input from ${path}`);
      await wait(pollMs);
      waitedMs += pollMs;
    }
  } finally {
    await handle.close();
  }
}

const pieceBytes = 1 << 16;

/** What there is to read: nothing when there is no writer, null when the writers have written nothing yet. */
async function readNow(handle: FileHandle): Promise<Uint8Array | null> {
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return null;
    throw error;
  }
}

/** Whether an open file is a pipe without a name, whose writers cannot come later. */
const isNameless = (fd: number): Promise<boolean> =>
  readlink(`/proc/self/fd/${fd}`).then(
    (name) => name.startsWith("pipe:"),
    () => false,
  );

/** Opens a named pipe for writing when somebody reads from it. A reader that is slow is not hurried. */
export async function pipeToWrite(path: string, patience = pipePatience): Promise<Socket> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (error) {
      // There is no reader yet.
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
    if (waitedMs >= patience.timeoutMs) throw new PipeTimeout(`nobody read from it in ${seconds(patience)}`);
    if (waitedMs < patience.noticeMs && waitedMs + pollMs >= patience.noticeMs)
      patience.say(`waiting for somebody to read from the named pipe ${path}`);
    await wait(pollMs);
  }
}

const seconds = ({ timeoutMs }: PipePatience): string => formatDuration(timeoutMs * 1e6);
