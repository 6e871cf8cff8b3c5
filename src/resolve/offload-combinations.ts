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
  /** What is not modelled of it where experts are sent ahead, and where some are fetched narrow. */
  readonly ahead: string;
  readonly narrow: string;
}

const uses: readonly Use[] = [
  {
    key: "hostCache",
    without: "inclusive",
    asked: ({ hostCache }) => (hostCache === "exclusive" ? hostCache : undefined),
    ahead: "that experts sent ahead leave host memory",
    narrow: "how narrow copies leave and come back",
  },
  {
    key: "pageCache",
    without: "no page cache",
    asked: ({ pageCache }) => (typeof pageCache === "number" ? formatBytes(pageCache) : pageCache),
    ahead: "reading ahead through it",
    narrow: "which files narrow copies are read from",
  },
  {
    key: "tiering",
    without: "static",
    asked: ({ tiering }) => (tiering === "lru" ? tiering : undefined),
    ahead: "moves for experts sent ahead",
    narrow: "moves of narrow copies",
  },
];

/** Uses of host memory that are not modelled beside a section's prefetcher or what it does about misses. */
export function combinationProblems(section: Section) {
  const { miss, prefetch } = section;
  const policy: MissPolicy = missPolicies[miss.kind];
  const sends = prefetch !== undefined && prefetch.kind !== "none";
  const narrows = policy.narrowBits !== undefined;
  return uses.flatMap(({ key, without, asked, ahead, narrow }) => {
    const found = asked(section);
    if (found === undefined || !(sends || narrows)) return [];
    const [what, beside] = sends ? [ahead, `prefetch ${prefetch.kind}`] : [narrow, `misses ${miss.kind}`];
    return [{ key, expected: `${without} beside ${beside}: ${what} is not modelled`, found }];
  });
}
