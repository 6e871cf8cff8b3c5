import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { formatBytes, formatNumber } from "../../../core/units.ts";
import { type CgroupLimits, cgroupLimits } from "../cgroup.ts";
import type { Check, Finding } from "../check.ts";

/** Processors and memory, with what a container leaves of them. */
export const machine: Check = {
  title: "Machine",
  look: async () => machineFindings(await cgroupLimits(), totalmem(), availableParallelism()),
};

/** Memory of the largest runs that moecast promises, bytes: 100,000 requests with replay take half of it. */
const comfortableBytes = 1024 ** 3;

/** The same from figures. */
export function machineFindings(limits: CgroupLimits, memoryBytes: number, processors: number): Finding[] {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const limited = limits.memoryBytes !== null && limits.memoryBytes < memoryBytes;
  const usable = limited ? (limits.memoryBytes ?? memoryBytes) : memoryBytes;
  const quota = limits.processors !== null && limits.processors < processors ? limits.processors : null;
  return [
    { topic: "system", state: "ok", text: `${platform()} ${release()}, ${arch()}` },
    {
      topic: "processors",
      state: "ok",
      text: `${processors} of ${model}${quota === null ? "" : `, limited to the time of ${formatNumber(quota, 3)} (cgroup)`}`,
      ...(quota === null ? {} : { advice: `--threads ${Math.max(1, Math.floor(quota))} for plan and sweep` }),
    },
    {
      topic: "memory",
      state: usable < comfortableBytes ? "note" : "ok",
      text: `${formatBytes(usable)}${limited ? ` of ${formatBytes(memoryBytes)} (cgroup)` : ""}`,
      ...(usable < comfortableBytes ? { advice: "long recordings of routing may not fit" } : {}),
    },
  ];
}
