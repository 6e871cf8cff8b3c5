import { readTextIfThere } from "../../files/read-input.ts";

/** What a container may use; null: no limit, or none that is known. */
export interface CgroupLimits {
  readonly memoryBytes: number | null;
  /** Processors by time: 1.5 is three halves of one. */
  readonly processors: number | null;
}

/** Files of control groups are of one line. */
const bytesMax = 4096;

/** Limits of this process's control group, version 2 or 1. Version 1 writes a number near 2 to the 63 for none. */
export async function cgroupLimits(root = "/sys/fs/cgroup"): Promise<CgroupLimits> {
  const line = async (path: string) =>
    (await readTextIfThere(`${root}/${path}`, bytesMax).catch(() => null))?.trim().split(/\s+/) ?? [];
  const [memory2, memory1] = [await line("memory.max"), await line("memory/memory.limit_in_bytes")];
  const [quota2 = "", period2 = ""] = await line("cpu.max");
  const [[quota1 = ""], [period1 = ""]] = [await line("cpu/cpu.cfs_quota_us"), await line("cpu/cpu.cfs_period_us")];
  return {
    memoryBytes: positive(Number(memory2[0] ?? memory1[0]), 2 ** 60),
    processors: ratio(quota2, period2) ?? ratio(quota1, period1),
  };
}

const positive = (value: number, most: number): number | null => (value > 0 && value < most ? value : null);

const ratio = (quota: string, period: string): number | null => positive(Number(quota) / Number(period), 2 ** 20);
