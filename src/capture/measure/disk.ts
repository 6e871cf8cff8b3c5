import {
  closeSync,
  constants,
  fsyncSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LiveMeasurements } from "../../calibrate/measured/live-measurements.ts";
import { forgotten, temporary } from "../../files/temporaries.ts";
import { timed } from "./probe.ts";

type DiskFigures = Pick<LiveMeasurements, "disk" | "diskNote">;

const pageBytes = 4096;
/** The file must hold enough blocks that reads do not repeat soon. */
const fileBytes = 256 << 20;
const readsPerBlock = 24;

/**
 * Times reads of blocks of a temporary file in `folder`: from the page cache after it was written, and past the page cache
 * (O_DIRECT) where platform and file system can. The file is removed.
 */
export function measureDisk(blockBytes: readonly number[], clock: () => number, folder = tmpdir()): DiskFigures {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < 2 * fileBytes)
    return { disk: [], diskNote: `${folder} has no room for a file of ${fileBytes} bytes` };
  const dir = temporary(mkdtempSync(join(folder, "moecast-disk-")));
  const path = join(dir, "blocks.bin");
  try {
    writeFile(path);
    const warm = readBlocks(path, 0, blockBytes, clock);
    const direct = constants.O_DIRECT as number | undefined;
    if (direct === undefined) return { disk: warm, diskNote: "this platform has no reads past the page cache" };
    try {
      return { disk: [...warm, ...readBlocks(path, direct, blockBytes, clock)], diskNote: null };
    } catch (error) {
      return { disk: warm, diskNote: `reads past the page cache fail: ${(error as Error).message}` };
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
    forgotten(dir);
  }
}

function writeFile(path: string): void {
  const file = openSync(path, "w");
  const piece = new Uint8Array(1 << 20);
  // Not zeros: a file system may store those as nothing.
  for (let i = 0; i < piece.length; i++) piece[i] = (i * 2_654_435_761) >>> 24;
  for (let at = 0; at < fileBytes; at += piece.length) {
    piece[0] = at >>> 20;
    writeSync(file, piece);
  }
  fsyncSync(file);
  closeSync(file);
}

function readBlocks(
  path: string,
  flags: number,
  blockBytes: readonly number[],
  clock: () => number,
): DiskFigures["disk"] {
  const file = openSync(path, constants.O_RDONLY | flags);
  try {
    return blockBytes.map((wanted) => {
      // Past the page cache, whole pages are read into memory that starts on a page.
      const bytes = flags === 0 ? wanted : Math.ceil(wanted / pageBytes) * pageBytes;
      const target = flags === 0 ? new Uint8Array(bytes) : alignedBuffer(file, bytes);
      const blocks = Math.floor(fileBytes / bytes);
      const samples: number[] = [];
      for (let i = 0; i < readsPerBlock; i++) {
        const block = (i * 7919) % blocks;
        const started = clock();
        readSync(file, target, 0, bytes, block * bytes);
        samples.push(clock() - started);
      }
      return { bytes, cache: flags === 0 ? ("warm" as const) : ("cold" as const), ...timed(samples.slice(4)) };
    });
  } finally {
    closeSync(file);
  }
}

/** Memory whose start the system accepts for reads past the page cache: found by trying every 16th byte of a page. */
function alignedBuffer(file: number, bytes: number): Uint8Array {
  const memory = new ArrayBuffer(bytes + pageBytes);
  let failure: unknown = null;
  for (let offset = 0; offset < pageBytes; offset += 16)
    try {
      const target = new Uint8Array(memory, offset, bytes);
      readSync(file, target, 0, pageBytes, 0);
      return target;
    } catch (error) {
      failure = error;
    }
  throw failure;
}
