import { constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { printable } from "../core/printable.ts";

import { formatDuration } from "../core/units.ts";

/** How long the other end of a named pipe is waited for, and who hears after how long that it is. */
export interface PipePatience {
  readonly noticeMs: number;
  readonly timeoutMs: number;
  readonly say: (line: string) => void;
}

export const pipePatience: PipePatience = {
  noticeMs: 1000,
  timeoutMs: 30_000,
  say: (line) => void process.stderr.write(`${printable(line)}\n`),
};

const pollMs = 50;

/** Nobody did what a pipe was waiting for in time. */
export class PipeTimeout extends Error {}

/** The bytes that come through a named pipe. They have to come, to their end, within the time given. */
export async function* pipeBytes(path: string, patience = pipePatience): AsyncGenerator<Uint8Array> {
  const socket = pipeEnd(path, constants.O_RDONLY);
  let come = false;
  const notice = setTimeout(() => {
    if (!come) patience.say(`waiting for something to be written to the named pipe ${path}`);
  }, patience.noticeMs);
  const timeout = setTimeout(() => {
    const seconds = formatDuration(patience.timeoutMs * 1e6);
    socket.destroy(new PipeTimeout(come ? `its end did not come in ${seconds}` : `nothing came in ${seconds}`));
  }, patience.timeoutMs);
  try {
    for await (const bytes of socket) {
      come = true;
      yield bytes as Uint8Array;
    }
  } finally {
    clearTimeout(notice);
    clearTimeout(timeout);
    socket.destroy();
  }
}

/** Opens a named pipe for writing when somebody reads from it. A reader that is slow is not hurried. */
export async function pipeToWrite(path: string, patience = pipePatience): Promise<Socket> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    try {
      return pipeEnd(path, constants.O_WRONLY);
    } catch (error) {
      // There is no reader yet.
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
    if (waitedMs >= patience.timeoutMs)
      throw new PipeTimeout(`nobody read from it in ${formatDuration(patience.timeoutMs * 1e6)}`);
    if (waitedMs < patience.noticeMs && waitedMs + pollMs >= patience.noticeMs)
      patience.say(`waiting for somebody to read from the named pipe ${path}`);
    await wait(pollMs);
  }
}

/** Opens an end of a pipe without waiting for the other. */
function pipeEnd(path: string, way: number): Socket {
  const readable = way === constants.O_RDONLY;
  return new Socket({ fd: openSync(path, way | constants.O_NONBLOCK), readable, writable: !readable });
}
