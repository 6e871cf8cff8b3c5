import { rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { OutputError, refuse } from "../core/errors.ts";
import { readText } from "./read-input.ts";
import { causeOf, isSystemError } from "./system-error.ts";

/** A lock names a process and a host. */
const lockBytesMax = 4096;

/** A lock on a folder, held by this process until it is released or the process ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the lock file `path`, which names process and host, for a use such as `recording`. One left by a process of this host that
 * is no more is taken over; any other is refused.
 */
export async function lockFolder(path: string, use: string): Promise<FolderLock> {
  const own = `${process.pid} ${hostname()}\n`;
  while (!(await created(path, own))) {
    const holder = await holderOf(path);
    const [pid = "", host] = holder.trim().split(" ");
    if (host !== undefined && (host !== hostname() || isRunning(Number(pid))))
      refuse({
        file: path,
        expected: `a folder that no other ${use} uses`,
        found: `process ${pid} on ${host}`,
        hint: `if that process is no ${use}, remove this file`,
      });
    await removeStale(path, holder);
  }
  return { release: () => rm(path, { force: true }) };
}

async function created(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw isSystemError(error) ? new OutputError(path, causeOf(error)) : error;
  }
}

/** The text of a lock; one that is being written gets a moment to have any. */
async function holderOf(path: string): Promise<string> {
  const read = () => readText(path, lockBytesMax).catch(() => "");
  const text = await read();
  if (text !== "") return text;
  await wait(200);
  return read();
}

/** Moves a stale lock away; when another process was quicker and it is its new lock that moved, puts it back. */
async function removeStale(path: string, holder: string): Promise<void> {
  const aside = `${path}.stale.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = await readText(aside, lockBytesMax);
  if (moved !== holder) await created(path, moved);
  await rm(aside, { force: true });
}

/** Whether another process has this number. The own number in a lock that is not held is that of an earlier process. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
