import { formatBytes } from "../core/units.ts";
import { missPolicies } from "../policy/miss/miss-policies.ts";
import type { MissPolicy } from "../policy/miss/miss-policy.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";

type Section = NonNullable<Scenario["policy"]["offload"]>;

interface Use {
  readonly key: "hostCache" | "pageCache" | "tiering";
  /** What a scenario without it says. */
  readonly without: string;
  /** What a scenario with it says. */
  readonly asked: (section: Section) => string | undefined;
  /** What is not modelled of it where some experts are fetched narrow. */
  readonly narrow: string;
}

const uses: readonly Use[] = [
  {
    key: "hostCache",
    without: "inclusive",
    asked: ({ hostCache }) => (hostCache === "exclusive" ? hostCache : undefined),
    narrow: "that narrow copies stay when experts leave",
  },
  {
    key: "pageCache",
    without: "no page cache",
    asked: ({ pageCache }) => (typeof pageCache === "number" ? formatBytes(pageCache) : pageCache),
    narrow: "in which pages narrow copies lie",
  },
  {
    key: "tiering",
    without: "static",
    asked: ({ tiering }) => (tiering === "lru" ? tiering : undefined),
    narrow: "that narrow copies move with experts",
  },
];

/**
 * Uses of host memory that are not modelled beside what a section does about misses. Narrow copies are experts of their own size, in
 * memory beside the whole ones: none of these uses knows of two copies.
 */
export function combinationProblems(section: Section) {
  const { kind } = section.miss;
  const policy: MissPolicy = missPolicies[kind];
  if (policy.narrowBits === undefined) return [];
  return uses.flatMap(({ key, without, asked, narrow }) => {
    const found = asked(section);
    return found === undefined
      ? []
      : [{ key, expected: `${without} beside misses ${kind}: ${narrow} is not modelled`, found }];
  });
}
