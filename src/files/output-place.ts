import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { OutputError } from "../core/errors.ts";
import { causeOf } from "./system-error.ts";

/** Where what is written to a path goes. */
export type OutputPlace =
  /** A regular file, or one to be made: `path` is that of the file itself, `mode` that of the one it replaces. */
  | { readonly kind: "file"; readonly path: string; readonly mode: number | null }
  /** stdout or stderr of this process. */
  | { readonly kind: "standard"; readonly stream: "stdout" | "stderr" }
  | { readonly kind: "pipe" | "device"; readonly path: string };

const linksMax = 40;
const descriptor = /^\/proc\/(\d+)\/(?:task\/\d+\/)?fd\/(\d+)$/;

/** Finds out what is at a path, symbolic links followed. Refuses what nothing can or should be written to. */
export async function outputPlace(path: string): Promise<OutputPlace> {
  if (/[/\\]$/.test(path)) throw new OutputError(path, "expected a file, found the name of a folder");
  try {
    const { at, handle } = await followed(path);
    if (handle === 1 || handle === 2) return { kind: "standard", stream: handle === 1 ? "stdout" : "stderr" };
    const there = await stat(at).catch(absent);
    if (there === null || (there.isFile() && handle === null)) {
      return { kind: "file", path: at, mode: there === null ? null : there.mode & 0o7777 };
    }
    if (there.isDirectory()) throw new OutputError(path, "expected a file, found a folder");
    if (there.isBlockDevice()) throw new OutputError(path, "expected a file, found a disk");
    if (there.isSocket()) throw new OutputError(path, "expected a file, found a socket");
    return { kind: there.isFIFO() ? "pipe" : "device", path: at };
  } catch (error) {
    if (error instanceof OutputError) throw error;
    throw new OutputError(path, causeOf(error));
  }
}

/** The path that symbolic links lead to, and the number of the open file of this process where they lead to one. */
async function followed(path: string): Promise<{ at: string; handle: number | null }> {
  let at = resolve(path);
  for (let links = 0; links < linksMax; links++) {
    const folder = await realpath(dirname(at)).catch(absent);
    if (folder === null) return { at, handle: null };
    at = join(folder, basename(at));
    const open = descriptor.exec(at);
    if (open !== null) return { at, handle: Number(open[1]) === process.pid ? Number(open[2]) : -1 };
    const there = await lstat(at).catch(absent);
    if (there?.isSymbolicLink() !== true) return { at, handle: null };
    at = resolve(folder, await readlink(at));
  }
  throw new OutputError(path, "its symbolic links lead in a circle");
}

/** Equal for two paths of the same output, however they are written. */
export async function outputIdentity(path: string): Promise<string> {
  const place = await outputPlace(path);
  if (place.kind === "standard") return place.stream;
  const there = await stat(place.path).catch(absent);
  return there === null ? place.path : `${there.dev}:${there.ino}`;
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}
