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
  /** What is not modelled of it where experts are sent ahead, and where misses are computed by the host or fetched narrow. */
  readonly ahead: string;
  readonly onHost: string;
}

const uses: readonly Use[] = [
  {
    key: "hostCache",
    without: "inclusive",
    asked: ({ hostCache }) => (hostCache === "exclusive" ? hostCache : undefined),
    ahead: "that experts sent ahead leave host memory",
    onHost: "that experts leave and come back",
  },
  {
    key: "pageCache",
    without: "no page cache",
    asked: ({ pageCache }) => (typeof pageCache === "number" ? formatBytes(pageCache) : pageCache),
    ahead: "reading ahead through it",
    onHost: "computing in its pages, or narrow copies there,",
  },
  {
    key: "tiering",
    without: "static",
    asked: ({ tiering }) => (tiering === "lru" ? tiering : undefined),
    ahead: "moves for experts sent ahead",
    onHost: "moves for experts that the host computes, or of narrow copies,",
  },
];

/** Uses of host memory that are not modelled beside a section's prefetcher or what it does about misses. */
export function combinationProblems(section: Section) {
  const { miss, prefetch } = section;
  const policy: MissPolicy = missPolicies[miss.kind];
  const sends = prefetch !== undefined && prefetch.kind !== "none";
  const leaves = policy.needs.includes("host") || policy.narrowBits !== undefined;
  return uses.flatMap(({ key, without, asked, ahead, onHost }) => {
    const found = asked(section);
    if (found === undefined || !(sends || leaves)) return [];
    const [what, beside] = sends ? [ahead, `prefetch ${prefetch.kind}`] : [onHost, `misses ${miss.kind}`];
    return [{ key, expected: `${without} beside ${beside}: ${what} is not modelled`, found }];
  });
}
