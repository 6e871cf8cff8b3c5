import { deviceIds } from "../../hardware/named-profiles.ts";
import { deviceOfFile } from "./device-name.ts";
import type { KernelSample } from "./kernel-sample.ts";
import { openTable } from "./open-table.ts";
import { isKernelTable, kernelSamplesOf } from "./read-samples.ts";
import { type TableFile, tableFiles } from "./table-files.ts";

/** What the kernel tables among some files say. */
export interface GatheredSamples {
  readonly samples: KernelSample[];
  /** Tables that samples came from. */
  readonly tables: readonly string[];
  /** Files of the folders that hold no kernel table, or none of the device. */
  readonly skipped: readonly string[];
}

export interface GatherOptions {
  /** Only samples of this device; files named after another are not opened. */
  readonly device: string;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The samples of one device in all kernel tables among files and folders; throws InvalidInputError for a named file that is none. */
export async function gatherSamples(
  paths: readonly string[],
  { device, onProgress }: GatherOptions,
): Promise<GatheredSamples> {
  const files = await tableFiles(paths);
  const ofOthers = ({ path, named }: TableFile): boolean => {
    const owner = deviceOfFile(path);
    return !named && owner !== null && owner !== device && deviceIds.includes(owner);
  };
  let done = 0;
  const gathered = await gatherTables(
    files.filter((file) => !ofOthers(file)),
    () => onProgress?.(done++, files.length),
    (sample) => sample.device === device,
  );
  onProgress?.(files.length, files.length);
  return gathered;
}

/** Reads kernel tables one after another; `onFile` is called before each, and `wanted` says which samples are held. */
export async function gatherTables(
  files: readonly TableFile[],
  onFile: () => void,
  wanted: (sample: KernelSample) => boolean = () => true,
): Promise<GatheredSamples> {
  const samples: KernelSample[] = [];
  const tables: string[] = [];
  const skipped: string[] = [];
  for (const { path, named } of files) {
    onFile();
    const rows = await openTable(path);
    const before = samples.length;
    if (named || isKernelTable(rows))
      for (const sample of kernelSamplesOf(rows, path)) if (wanted(sample)) samples.push(sample);
    (samples.length > before ? tables : skipped).push(path);
  }
  return { samples, tables, skipped };
}
