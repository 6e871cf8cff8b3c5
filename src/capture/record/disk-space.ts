import { stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InfeasibleError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";

/** Bytes that will be written below a path. */
export interface DiskNeed {
  readonly what: string;
  readonly path: string;
  readonly bytes: number;
}

/** Throws InfeasibleError where a file system has less room than will be written to it. */
export async function refuseFullDisk(needs: readonly DiskNeed[]): Promise<void> {
  const byDevice = new Map<number, { folder: string; needs: DiskNeed[] }>();
  for (const need of needs) {
    const folder = await existingFolder(resolve(need.path));
    const { dev } = await stat(folder);
    const entry = byDevice.get(dev) ?? { folder, needs: [] };
    entry.needs.push(need);
    byDevice.set(dev, entry);
  }
  for (const { folder, needs: here } of byDevice.values()) {
    const { bavail, bsize } = await statfs(folder);
    const bytes = here.reduce((sum, need) => sum + need.bytes, 0);
    if (bytes > bavail * bsize)
      throw new InfeasibleError(
        `the disk of ${here[0]!.path} has ${formatBytes(bavail * bsize)} free, and ` +
          `${here.map((need) => `${formatBytes(need.bytes)} ${need.what}`).join(" + ")} would be written\n` +
          "fewer tokens (--max-tokens) need less; --work names another place for unfinished work",
      );
  }
}

/** The nearest folder above a path, or itself, that exists. */
async function existingFolder(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() === true || dirname(path) === path) return path;
  return existingFolder(dirname(path));
}
