import { deviceIds } from "../../hardware/named-profiles.ts";
import { deviceOfFile } from "./device-name.ts";
import { gatherTables } from "./gather-samples.ts";
import type { KernelSample } from "./kernel-sample.ts";
import { type TableFile, tableFiles } from "./table-files.ts";

/** The samples of one device, and the files that were read for them. */
export interface DeviceSamples {
  readonly device: string;
  readonly samples: readonly KernelSample[];
  readonly tables: readonly string[];
}

/** Files and devices that are not compared, with the reason. */
export interface SkippedSamples {
  readonly name: string;
  readonly reason: string;
}

export interface ByDeviceOptions {
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with whatever holds no samples of a known device. */
  readonly onSkipped?: (skipped: SkippedSamples) => void;
}

/**
 * The samples of all kernel tables among files and folders, one device after another, so that only those of one are held
 * at a time. A table named after a device (`h200_sxm__...`) stands for that device alone; rows that name another are
 * skipped. The list of a device is emptied when the next is asked for. Tables without a device in their name are read first and held throughout. Throws InvalidInputError for tables
 * that cannot be read.
 */
export async function* samplesByDevice(
  paths: readonly string[],
  { onProgress, onSkipped }: ByDeviceOptions = {},
): AsyncGenerator<DeviceSamples> {
  const files = await tableFiles(paths);
  const owned = new Map<string, TableFile[]>();
  const others: TableFile[] = [];
  for (const file of files) {
    const owner = deviceOfFile(file.path);
    if (owner === null || !deviceIds.includes(owner)) others.push(file);
    else owned.set(owner, [...(owned.get(owner) ?? []), file]);
  }
  let done = 0;
  const read = async (of: readonly TableFile[]) => {
    const gathered = await gatherTables(of, () => onProgress?.(done++, files.length));
    for (const name of gathered.skipped) onSkipped?.({ name, reason: "no table of measured kernels" });
    return gathered;
  };
  const unnamed = await read(others);
  const held = byDevice(unnamed.samples);
  for (const device of new Set([...held.keys(), ...owned.keys()])) {
    const shared = held.get(device) ?? [];
    held.delete(device);
    if (!deviceIds.includes(device)) {
      onSkipped?.({ name: device, reason: "no device profile" });
      continue;
    }
    const own = await read(owned.get(device) ?? []);
    const samples = shared.concat(own.samples.filter((sample) => sample.device === device));
    const strays = shared.length + own.samples.length - samples.length;
    if (strays > 0)
      onSkipped?.({ name: device, reason: `${strays} rows of other devices in tables named after this one` });
    const tables = [...new Set(shared.map(({ file }) => file)), ...own.tables];
    own.samples.length = 0;
    yield { device, samples, tables };
    samples.length = 0;
  }
  onProgress?.(files.length, files.length);
}

function byDevice(samples: readonly KernelSample[]): Map<string, KernelSample[]> {
  const groups = new Map<string, KernelSample[]>();
  for (const sample of samples) {
    const group = groups.get(sample.device);
    if (group === undefined) groups.set(sample.device, [sample]);
    else group.push(sample);
  }
  return groups;
}
