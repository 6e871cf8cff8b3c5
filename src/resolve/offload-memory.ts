import { InvalidInputError, type Problem } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import type { Node } from "../hardware/device.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { OffloadConfig } from "../sim/config.ts";
import { hostTier, memoryTiers } from "../sim/offload/offload-tiers.ts";
import { combinationProblems } from "./offload-combinations.ts";

type Section = NonNullable<Scenario["policy"]["offload"]>;

/** How the memory behind the devices is used for experts, as a scenario says it. */
type Choices = Pick<OffloadConfig, "hostBytes" | "hostCache" | "pageCache" | "pageCopyBytesPerSecond" | "tiering">;

/** Refuses what the node does not have or what excludes one another; all of it at once. */
export function offloadMemory(scenario: Scenario, section: Section, node: Node): Choices {
  const own = [
    ...hostMemoryProblems(section, node),
    ...hostCacheProblems(section, node),
    ...pageCacheProblems(section, node),
    ...tieringProblems(section, node),
  ];
  // One problem a key.
  const combined = combinationProblems(section).filter(({ key }) => own.every((other) => other.key !== key));
  const problems: Problem[] = [...own, ...combined].map(({ key, expected, found }) => ({
    ...scenario.place(["policy", "offload", key]),
    at: `policy.offload.${key}`,
    expected,
    found,
  }));
  if (problems.length > 0) throw new InvalidInputError(problems);
  const { hostMemory, hostCache, pageCache, pageCopy, tiering } = section;
  const memory = hostTier(node)?.bytes ?? 0;
  return {
    hostBytes: hostMemory ?? (typeof pageCache === "number" ? Math.max(0, memory - pageCache) : memory),
    ...(hostCache === "exclusive" ? { hostCache } : {}),
    ...(pageCache === undefined ? {} : { pageCache }),
    ...(pageCopy === undefined ? {} : { pageCopyBytesPerSecond: pageCopy }),
    ...(tiering === "lru" ? { tiering } : {}),
  };
}

interface KeyProblem {
  readonly key: "hostMemory" | "hostCache" | "pageCache" | "pageCopy" | "tiering";
  readonly expected: string;
  readonly found: string;
}

const hasDisk = ({ tiers }: Node): boolean => memoryTiers(tiers) < tiers.length;

/** More host memory for experts than there is. */
function hostMemoryProblems({ hostMemory = 0 }: Section, node: Node): KeyProblem[] {
  const host = hostTier(node);
  if (hostMemory <= (host?.bytes ?? 0)) return [];
  const expected =
    host === undefined
      ? `nothing: ${node.device.name} has no host memory behind it`
      : `at most the ${formatBytes(host.bytes)} of ${host.id} in a node`;
  return [{ key: "hostMemory", expected, found: formatBytes(hostMemory) }];
}

/** An exclusive cache where host memory caches no disk. */
function hostCacheProblems({ hostCache, diskPath }: Section, node: Node): KeyProblem[] {
  if (hostCache !== "exclusive") return [];
  const refused = (why: string): KeyProblem[] => [
    { key: "hostCache", expected: `inclusive: ${why}`, found: "exclusive" },
  ];
  if (hostTier(node) === undefined) return refused(`${node.device.name} has no host memory behind it`);
  if (!hasDisk(node)) return refused("a node has no disk whose experts host memory could cache");
  if (diskPath === "direct") return refused("disks send experts past host memory (diskPath: direct)");
  if (node.sockets !== undefined)
    return refused("on which socket an expert comes back is not modelled (hardware.sockets)");
  return [];
}

/** A page cache that nothing is read through, or that has no memory. */
function pageCacheProblems({ pageCache, pageCopy, hostMemory, diskPath }: Section, node: Node): KeyProblem[] {
  if (pageCache === undefined)
    return pageCopy === undefined
      ? []
      : [{ key: "pageCopy", expected: "a pageCache beside it, to copy out of", found: `${formatBytes(pageCopy)}/s` }];
  const found = pageCache === "rest" ? "rest" : formatBytes(pageCache);
  const refused = (expected: string): KeyProblem[] => [{ key: "pageCache", expected, found }];
  const host = hostTier(node);
  if (!hasDisk(node)) return refused("no page cache: a node has no disk to read files from");
  if (diskPath === "direct") return refused("no page cache: the direct path goes past it (diskPath: direct)");
  if (node.sockets !== undefined)
    return refused("no page cache: on which socket its pages lie is not modelled (hardware.sockets)");
  if (host === undefined)
    return node.devicesPerNode > 1
      ? refused(`no page cache: in which of ${node.devicesPerNode} devices' memories its pages lie is not modelled`)
      : [];
  if (pageCache === "rest")
    return hostMemory === undefined
      ? refused(
          `bytes, or hostMemory beside it: without, experts may take all ${formatBytes(host.bytes)} of ${host.id}`,
        )
      : [];
  if (hostMemory !== undefined && hostMemory > host.bytes) return [];
  const left = host.bytes - (hostMemory ?? 0);
  return pageCache <= left
    ? []
    : refused(
        hostMemory === undefined
          ? `at most the ${formatBytes(left)} of ${host.id} in a node`
          : `at most ${formatBytes(left)}: ${host.id} has ${formatBytes(host.bytes)}, ${formatBytes(hostMemory)} of them hostMemory`,
      );
}

/** Experts that are to move where there is one memory. */
function tieringProblems({ tiering }: Section, node: Node): KeyProblem[] {
  if (tiering !== "lru") return [];
  const memories = memoryTiers(node.tiers);
  const refused = (why: string): KeyProblem[] => [{ key: "tiering", expected: `static: ${why}`, found: "lru" }];
  if (memories < 2) return refused(`a node has ${memories === 0 ? "no memory" : "one memory"} behind its devices`);
  if (node.sockets !== undefined) return refused("which socket gives room is not modelled (hardware.sockets)");
  return [];
}
