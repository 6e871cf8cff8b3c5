import { cpus } from "node:os";

/** Name of the processor, with its number of logical cores. */
export function processorName(): string {
  const all = cpus();
  return `${all[0]?.model.trim() ?? "unknown processor"}, ${all.length} logical cores`;
}
