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
 * lie in pages of the model's file, which they then do at every size.
 */
export function memoryCandidates(section: Section, node: Node, pages: boolean): Candidate[] {
  const { tiers } = node;
  const memory = hostTier(node);
  const disk = tiers[memoryTiers(tiers)];
  return [
    ...(memory === undefined ? [] : memoryFactors.map((factor) => ofMemory(section, memory, factor, pages))),
    ...(disk === undefined ? [] : diskFactors.map((factor) => ofDisk(disk, factor))),
  ];
}

/** Parts of memory that the scenario gives to something grow with it. */
function ofMemory(
  { hostMemory, pageCache }: Section,
  { kind, bytes }: MemoryTier,
  factor: number,
  pages: boolean,
): Candidate {
  const scaled = (key: string, value: number) => `${key}=${sizeText(Math.round(value * factor))}`;
  return {
    axis: "memory",
    name: `${formatBytes(bytes * factor)} of ${tierKinds[kind].name}`,
    set: [
      scaled(`hardware.tiers.${kind}.capacity`, bytes),
      ...(hostMemory === undefined ? [] : [scaled("policy.offload.hostMemory", hostMemory)]),
      ...(typeof pageCache === "number" ? [scaled("policy.offload.pageCache", pageCache)] : []),
      ...(pages && pageCache === undefined && hostMemory === undefined ? ["policy.offload.pageCache=rest"] : []),
    ],
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
