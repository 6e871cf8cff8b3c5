import { InfeasibleError, InvalidInputError } from "../../core/errors.ts";
import { giveWay } from "../../files/cooperative.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import { type PoolConfig, poolsOf } from "../../sim/config.ts";
import { poolMemory } from "../../sim/memory/pool-memory.ts";
import { excludedBy } from "../bounds/bounds.ts";
import type { PlanQuestion } from "../space/question.ts";
import { settle, type Track } from "./track.ts";

/** Few requests are enough to know what a deployment is. */
const probeRequests = 2;

/**
 * Excludes, before anything runs, what does not fit in memory, what its engine does not start, and what the bounds exclude. What a
 * layout has in common is found once for all numbers of its replicas.
 */
export async function prune(
  question: PlanQuestion,
  tracks: readonly Track[],
  reader: Surroundings,
  signal?: AbortSignal,
): Promise<void> {
  const layouts = new Map<string, readonly PoolConfig[] | Excluded>();
  for (const track of tracks) {
    const { candidate } = track;
    let layout = layouts.get(candidate.layout);
    if (layout === undefined) {
      layout = await poolsOrReason(question, track, reader);
      layouts.set(candidate.layout, layout);
      await giveWay();
      signal?.throwIfAborted();
    }
    if ("reason" in layout) {
      settle(track, "pruned", layout.cause, layout.reason);
      continue;
    }
    const { replicas } = candidate;
    const pools = replicas === null ? layout : layout.map((pool) => ({ ...pool, replicas }));
    const excluded = excludedBy(question, pools);
    if (excluded !== null) settle(track, "pruned", excluded.bound, excluded.reason);
  }
}

interface Excluded {
  readonly cause: string;
  readonly reason: string;
}

async function poolsOrReason(
  { scenario }: PlanQuestion,
  { candidate }: Track,
  reader: Surroundings,
): Promise<readonly PoolConfig[] | Excluded> {
  let pools: readonly PoolConfig[];
  try {
    const varied = scenario.vary([...candidate.settings, ...quick(scenario, candidate.settings)]);
    pools = poolsOf((await resolveScenario(varied, reader)).config);
  } catch (error) {
    if (error instanceof InfeasibleError) return { cause: "engine start", reason: error.message };
    if (error instanceof InvalidInputError) return { cause: "invalid", reason: error.message };
    throw error;
  }
  try {
    for (const pool of pools) poolMemory(pool);
    return pools;
  } catch (error) {
    if (error instanceof InfeasibleError) return { cause: "memory", reason: error.message };
    throw error;
  }
}

/** What takes long to resolve and says nothing of memory: all requests, and routing that no policy looks at. */
function quick(scenario: PlanQuestion["scenario"], settings: readonly string[]): string[] {
  const looks = /^policy(?:\.(?:offload|placement)\b|=)/;
  const isLooked =
    scenario.policy.offload !== undefined ||
    scenario.policy.placement !== undefined ||
    settings.some((setting) => looks.test(setting) && !setting.endsWith("=null"));
  return [
    ...(scenario.traffic.kind === "sharedPrefix" ? [] : [`traffic.requests=${probeRequests}`]),
    ...(isLooked ? [] : ["routing={kind: uniform}"]),
  ];
}
