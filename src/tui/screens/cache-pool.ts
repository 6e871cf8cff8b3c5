import type { CacheDetails } from "../../forecast/details/cache-details.ts";
import type { CacheResult } from "../../sim/result.ts";
import { type Core, currentRun } from "../state/core.ts";
import { isOpen, type RunRecord } from "../state/run-record.ts";
import { soFarWords } from "./run-words.ts";

/** A pool with expert caches. */
export interface CachePool {
  /** Empty for the only one. */
  readonly name: string;
  readonly figures: CacheResult;
  /** Part of the time of its steps in which devices waited for experts. */
  readonly waitShare: number;
  /** null where they were not kept: of a saved result, and of older runs. */
  readonly details: CacheDetails | null;
  /** Of a run that goes on: what its figures are of, in words. */
  readonly soFar: string | null;
}

/** The pools of a run, in their order: as far as it is, or at its end. */
function cachePools(run: RunRecord): CachePool[] {
  const { forecast, details, soFar } = run;
  if (forecast === null)
    return (soFar?.pools ?? []).flatMap(({ name, cache, cacheDetails, timeShare }) =>
      cache === null || cache.accesses === 0
        ? []
        : [{ name, figures: cache, waitShare: timeShare.expertFetch, details: cacheDetails, soFar: soFarWords(run) }],
    );
  const pools = forecast.pools ?? [{ name: "", cache: forecast.cache, timeShare: forecast.timeShare }];
  return pools.flatMap(({ name, cache, timeShare }) =>
    cache === null
      ? []
      : [
          {
            name,
            figures: cache,
            waitShare: timeShare.expertFetch,
            details: details?.caches.find(({ pool }) => pool === name) ?? null,
            soFar: null,
          },
        ],
  );
}

/** The pool that is shown: `at` counts on after the last one. */
export function cacheShown(core: Core, at: number): { readonly pool: CachePool; readonly count: number } | null {
  const run = currentRun(core);
  const pools = run === null ? [] : cachePools(run);
  const pool = pools[at % Math.max(1, pools.length)];
  return pool === undefined ? null : { pool, count: pools.length };
}

/** Why there is no cache to see; null where there is one. */
export function cacheMissing(core: Core): string | null {
  const run = currentRun(core);
  if (run === null) return "No run yet: choose a scenario on Home (1) and press Enter.";
  if (isOpen(run)) {
    if (run.snapshot === null) return "The run reads its inputs.";
    return run.snapshot.cache === null ? noCache : null;
  }
  if (run.forecast === null) return "The run failed: Run (2) says why.";
  return cacheShown(core, 0) === null ? noCache : null;
}

const noCache = "No expert cache: all experts fit. policy.offload caches them on the device.";
