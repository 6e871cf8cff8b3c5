import { localFiles } from "../files/local-files.ts";
import type { OffloadComparison } from "../offload/compare/comparison.ts";
import type { PlacementComparison } from "../place/comparison.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { withSolver } from "./forecast.ts";

interface Following {
  /** Requests of each run. */
  readonly requests?: number;
  /** Runs of each candidate, with other random draws. Default 3. */
  readonly repeats?: number;
  readonly signal?: AbortSignal;
  /** Called with what is done, of about so much. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** How offload policies are compared. */
export interface OffloadOptions extends Following {
  /** What is varied, one after the other. Default all but memory. */
  readonly vary?: readonly ("policy" | "slots" | "miss" | "prefetch" | "memory")[];
  /** Whether what changes the model's answers may be the best. Default false. */
  readonly lossy?: boolean;
}

/** How placements are compared. */
export interface PlaceOptions extends Following {
  /** Names of placement policies; default all. */
  readonly policies?: readonly string[];
  /** Numbers of redundant experts; default none, one and four copies a rank. */
  readonly redundant?: readonly number[];
}

/**
 * Compares expert caches, their sizes, prefetchers and what is done about misses, as `moecast offload --json` does.
 * @throws InvalidInputError where the scenario offloads nothing
 * @experimental
 */
export async function compareOffload(scenario: Scenario, options: OffloadOptions = {}): Promise<OffloadComparison> {
  const { requests = 24, repeats = 3, vary, lossy = false, ...followed } = options;
  const compare = await import("../offload/compare/compare-offload.ts");
  return compare.compareOffload(
    scenario,
    { requests, repeats, lossy, ...(vary === undefined ? {} : { axes: vary }) },
    { ...localFiles, ...followed },
  );
}

/**
 * Compares placements of experts on traffic that they were not made for, as `moecast place --json` does.
 * @throws InvalidInputError where the scenario has nothing to place
 * @experimental
 */
export async function comparePlacements(scenario: Scenario, options: PlaceOptions = {}): Promise<PlacementComparison> {
  const { requests = 60, repeats = 3, signal, onProgress, ...chosen } = options;
  const { comparePlacement } = await import("../place/compare-placement.ts");
  const { comparison } = await withSolver(signal, (solve) =>
    comparePlacement(
      scenario,
      { requests, repeats, ...chosen },
      {
        ...localFiles,
        solve,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      },
    ),
  );
  return comparison;
}
