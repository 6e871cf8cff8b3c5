import { InvalidInputError, type Problem } from "../core/errors.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { poolSections } from "../scenario/pools-section.ts";
import type { PoolConfig } from "../sim/config.ts";

/** A pool of a scenario, as a scenario of its own: with its sections in place of those that they replace. */
export interface PoolScenario {
  readonly scenario: Scenario;
  /** Place of the pool in messages, such as `pools[1]`; empty for the only pool of a scenario without `pools`. */
  readonly at: string;
  readonly identity: Pick<PoolConfig, "name" | "role" | "firstDevice">;
  /** Which requests its models serve. */
  readonly serving: Serving;
}

type StatedPool = NonNullable<Scenario["pools"]>[number];
export type Serving = Pick<StatedPool, "serves" | "variants" | "popularity">;

/** The pools of a scenario; the scenario itself where it states none. */
export function poolScenarios(scenario: Scenario): PoolScenario[] {
  const { pools } = scenario;
  if (pools === undefined) return [{ scenario, at: "", identity: {}, serving: { variants: 1, popularity: 0 } }];
  refuseUnused(scenario, pools);
  return pools.map(({ name, role, firstDevice, serves, variants, popularity, ...pool }, index): PoolScenario => {
    const own = Object.fromEntries(
      poolSections.flatMap((section) => (pool[section] === undefined ? [] : [[section, pool[section]]])),
    );
    return {
      scenario: {
        ...scenario,
        ...own,
        place: ([section, ...rest]) =>
          scenario.place(String(section) in own ? ["pools", index, String(section), ...rest] : [section!, ...rest]),
      },
      at: `pools[${index}]`,
      identity: { name, role, ...(firstDevice === undefined ? {} : { firstDevice }) },
      serving: { variants, popularity, ...(serves === undefined ? {} : { serves }) },
    };
  });
}

/** Refuses what the scenario need not state, and no pool takes over. */
function refuseUnused(scenario: Scenario, pools: NonNullable<Scenario["pools"]>): void {
  const problems: Problem[] = (["parallel", "cost"] as const).flatMap((section) =>
    scenario.states([section]) && pools.every((pool) => pool[section] !== undefined)
      ? [
          {
            ...scenario.place([section]),
            at: section,
            expected: `nothing: every pool has a ${section} section of its own`,
            found: Object.keys(scenario[section] ?? {}).join(", "),
          },
        ]
      : [],
  );
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Runs a step of resolving a pool: problems in sections of its own are named below the pool. */
export async function inPool<T>(pool: PoolScenario, whole: Scenario, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError(error.problems.map((problem) => ofPool(problem, pool, whole)));
  }
}

/** A problem of a pool: named below the pool where it is in a section of the pool's own. */
export function ofPool(problem: Problem, { scenario, at }: PoolScenario, whole: Scenario): Problem {
  const section = problem.at?.split(".")[0] ?? "";
  const isOwn = poolSections.some((name) => name === section && scenario[name] !== whole[name]);
  return at !== "" && isOwn ? { ...problem, at: `${at}.${problem.at}` } : problem;
}
