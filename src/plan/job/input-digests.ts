import { createHash } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../core/digest.ts";
import { fromScenario } from "../../scenario/file-path.ts";

/** Files up to this size are read whole; of larger ones, checkpoints mostly, the ends, the size and the time of the last change count. */
const wholeBytesMax = 4 * 2 ** 30;
const endBytes = 2 ** 20;
const pieceBytes = 2 ** 20;

/** Digests of the files that scenarios name, each read once. */
export class InputDigests {
  readonly #known = new Map<string, Promise<string>>();

  /**
   * The values of a scenario with the content of what it names in place of every path: of files their bytes, of folders the names
   * and sizes of what is in them and the bytes of their JSON files. Equal wherever the files lie. Paths are values of keys named
   * `file`. For what is not there its path stands: the run tells of it.
   */
  async contentOf(scenarioFile: string, value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.contentOf(scenarioFile, item)));
    if (value === null || typeof value !== "object") return value;
    const entries = await Promise.all(
      Object.entries(value).map(async ([key, item]) => [
        key,
        key === "file" && typeof item === "string"
          ? await this.#digest(fromScenario(scenarioFile, item))
          : await this.contentOf(scenarioFile, item),
      ]),
    );
    return Object.fromEntries(entries);
  }

  /** What was read so far, by path: the digest, or the path itself where there is nothing. */
  async known(): Promise<[path: string, digest: string][]> {
    const entries = [...this.#known].sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.all(entries.map(async ([path, digest]): Promise<[string, string]> => [path, await digest]));
  }

  #digest(path: string): Promise<string> {
    let digest = this.#known.get(path);
    if (digest === undefined) {
      digest = digestOf(path);
      this.#known.set(path, digest);
    }
    return digest;
  }
}

async function digestOf(path: string): Promise<string> {
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory() === true) return folderDigest(path);
  if (there?.isFile() !== true) return path;
  const hash = createHash("sha256");
  const handle = await open(path);
  try {
    const add = async (from: number, to: number) => {
      const piece = Buffer.allocUnsafe(pieceBytes);
      for (let at = from; at < to; ) {
        const { bytesRead } = await handle.read(piece, 0, Math.min(pieceBytes, to - at), at);
        if (bytesRead === 0) break;
        hash.update(piece.subarray(0, bytesRead));
        at += bytesRead;
      }
    };
    if (there.size <= wholeBytesMax) await add(0, there.size);
    else {
      hash.update(`${there.size} ${there.mtimeMs}`);
      await add(0, endBytes);
      await add(there.size - endBytes, there.size);
    }
  } finally {
    await handle.close();
  }
  return hash.digest("hex");
}

async function folderDigest(path: string): Promise<string> {
  const parts: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    const file = join(path, name);
    const there = await stat(file).catch(() => null);
    if (there?.isFile() !== true) continue;
    parts.push(`${name}\0${there.size}\0${name.endsWith(".json") ? await digestOf(file) : ""}`);
  }
  return sha256(parts.join("\0"));
}
