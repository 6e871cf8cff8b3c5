import { deviceIds } from "../../hardware/systems.ts";
import { deviceOfFile } from "./device-name.ts";
import type { KernelSample } from "./kernel-sample.ts";
import { openTable } from "./open-table.ts";
import { isKernelTable, kernelSamplesOf } from "./read-samples.ts";
import { tableFiles } from "./table-files.ts";

/** What the kernel tables among some files say. */
export interface GatheredSamples {
  readonly samples: readonly KernelSample[];
  /** Tables that samples came from. */
  readonly tables: readonly string[];
  /** Files of the folders that hold no kernel table, or none of the device. */
  readonly skipped: readonly string[];
}

export interface GatherOptions {
  /** Only samples of this device; files named after another are not opened. */
  readonly device?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Reads all kernel tables among files and folders; throws InvalidInputError for a named file that is none. */
export async function gatherSamples(paths: readonly string[], options: GatherOptions = {}): Promise<GatheredSamples> {
  const { device, onProgress } = options;
  const files = await tableFiles(paths);
  const samples: KernelSample[] = [];
  const tables: string[] = [];
  const skipped: string[] = [];
  for (const [index, { path, named }] of files.entries()) {
    onProgress?.(index, files.length);
    const owner = deviceOfFile(path);
    if (!named && device !== undefined && owner !== null && owner !== device && deviceIds.includes(owner)) continue;
    const rows = await openTable(path);
    const before = samples.length;
    if (named || isKernelTable(rows))
      for (const sample of kernelSamplesOf(rows, path))
        if (device === undefined || sample.device === device) samples.push(sample);
    (samples.length > before ? tables : skipped).push(path);
  }
  onProgress?.(files.length, files.length);
  return { samples, tables, skipped };
}
