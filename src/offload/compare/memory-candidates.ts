import { formatBytes } from "../../core/units.ts";
import type { MemoryTier, Node } from "../../hardware/device.ts";
import { tierKinds } from "../../hardware/tier-kinds.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { hostTier, memoryTiers } from "../../sim/offload/offload-tiers.ts";
import type { Candidate } from "./candidates.ts";

type Section = NonNullable<Scenario["policy"]["offload"]>;

const gib = 2 ** 30;
const memoryFactors = [0.5, 1.5, 2, 4];
const diskFactors = [0.5, 2, 4];

/**
 * More memory, or a faster disk: other sizes of the host's memory, and other rates of the disk behind it. `pages`: whether experts
 * lie in pages of the model's file; they then do so at every size, so that nothing but the size differs.
 */
export function memoryCandidates(section: Section, node: Node, pages: boolean): Candidate[] {
  const memory = hostTier(node);
  const disk = node.tiers[memoryTiers(node.tiers)];
  return [
    ...(memory === undefined ? [] : memoryFactors.map((factor) => ofMemory(section, memory, factor, pages))),
    ...(disk === undefined ? [] : diskFactors.map((factor) => ofDisk(disk, factor))),
  ];
}

/** What of memory the scenario leaves to others they keep; of two parts that are for experts, the page cache changes. */
function ofMemory({ hostMemory, pageCache }: Section, memory: MemoryTier, factor: number, pages: boolean): Candidate {
  const { kind } = memory;
  const bytes = Math.round(memory.bytes * factor);
  const set = (key: string, value: number) => [`policy.offload.${key}=${sizeText(value)}`];
  const changed = (part: number) => Math.max(0, part + bytes - memory.bytes);
  const parts = () => {
    if (typeof pageCache === "number") return set("pageCache", changed(pageCache));
    if (pages && pageCache === undefined)
      return hostMemory === undefined
        ? ["policy.offload.pageCache=rest"]
        : [...set("hostMemory", 0), ...set("pageCache", changed(hostMemory))];
    return hostMemory === undefined || pageCache === "rest" ? [] : set("hostMemory", changed(hostMemory));
  };
  return {
    axis: "memory",
    name: `${formatBytes(bytes)} of ${tierKinds[kind].name}`,
    set: [`hardware.tiers.${kind}.capacity=${sizeText(bytes)}`, ...parts()],
  };
}

const sizeText = (bytes: number): string => (bytes % gib === 0 ? `${bytes / gib}GiB` : `${bytes}B`);

/** A stated bandwidth is one that is reached. */
function ofDisk({ kind, read }: MemoryTier, factor: number): Candidate {
  const rate = read.bytesPerSecond * read.efficiency * factor;
  return {
    axis: "memory",
    name: `${tierKinds[kind].name} at ${Math.round(rate / 1e8) / 10} GB/s`,
    set: [`hardware.tiers.${kind}.bandwidth=${Math.round(rate)}B/s`],
  };
}
