import type { CacheDetails } from "../../forecast/details/cache-details.ts";
import type { CacheResult } from "../../sim/result.ts";
import { type Core, currentRun } from "../state/core.ts";
import { isOpen, type RunRecord } from "../state/run-record.ts";
import { tiersOf } from "./memory-view.ts";
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
  /** The fewest and the most slots of a layer; null where all have the same, and while a run that goes on does not say. */
  readonly slotRange: SlotRange | null;
  /** Memory of the fullest device that nothing takes, what its engine keeps back included; NaN where it is not known. */
  readonly freeBytes: number;
}

/** The fewest and the most slots of a layer. */
export interface SlotRange {
  readonly least: number;
  readonly most: number;
}

/** The slots of layers that differ, as the words of a result about its offload have them: `0 to 32 of 32 experts a layer`. */
export function slotRangeOf(offload: string | null): SlotRange | null {
  const found = /(\d+) to (\d+) of \d+ experts a layer/.exec(offload ?? "");
  if (found === null || found[1] === found[2]) return null;
  return { least: Number(found[1]), most: Number(found[2]) };
}

/** What is free in the memory of the devices of a pool, which is the first of its tiers. */
function freeBytes(run: RunRecord, pool: string): number {
  const tiers = tiersOf(run);
  const tier = tiers.find((one) => one.tier.startsWith(`${pool}: `)) ?? tiers[0];
  return tier === undefined ? Number.NaN : Math.max(0, tier.capacityBytes - tier.usedBytes);
}

/** The pools of a run, in their order: as far as it is, or at its end. */
function cachePools(run: RunRecord): CachePool[] {
  const { forecast, details, soFar } = run;
  if (forecast === null)
    return (soFar?.pools ?? []).flatMap(({ name, cache, cacheDetails, timeShare }) =>
      cache === null || cache.accesses === 0
        ? []
        : [
            {
              name,
              figures: cache,
              waitShare: timeShare.expertFetch,
              details: cacheDetails,
              soFar: soFarWords(run),
              slotRange: null,
              freeBytes: freeBytes(run, name),
            },
          ],
    );
  const { cache, timeShare, deployment } = forecast;
  const pools = forecast.pools ?? [{ name: "", cache, timeShare, offload: deployment.offload }];
  return pools.flatMap(({ name, cache, timeShare, offload }) =>
    cache === null
      ? []
      : [
          {
            name,
            figures: cache,
            waitShare: timeShare.expertFetch,
            details: details?.caches.find(({ pool }) => pool === name) ?? null,
            soFar: null,
            slotRange: slotRangeOf(offload),
            freeBytes: freeBytes(run, name),
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
