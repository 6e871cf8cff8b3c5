import { cachePolicies } from "./cache/caches.ts";
import type { CachePolicy } from "./cache/expert-cache.ts";
import type { PlacementPolicy } from "./placement/placement.ts";
import { placementKinds } from "./placement/placements.ts";
import type { RouterPolicy } from "./router/router.ts";
import { routers } from "./router/routers.ts";

/** Where policies came from that are not of moecast: what a result states of them. */
export interface PolicyOrigin {
  /** Name of the plugin. */
  readonly plugin: string;
  /** Name of its file without folders; null for one that a program passed as a value. */
  readonly file: string | null;
  /** sha256 of the file; of the text of its functions where there is none. */
  readonly sha256: string;
  /** Names of its policies, by family. */
  readonly caches: readonly string[];
  readonly placements: readonly string[];
  readonly routers: readonly string[];
}

/**
 * The policies that a scenario may name, by family and name. A scenario carries the tables that it was read with, so whatever is
 * resolved from it finds its policies there.
 */
export interface PolicyTables {
  readonly caches: Readonly<Record<string, CachePolicy>>;
  /** `file` among them: a map that somebody else made. */
  readonly placements: Readonly<Record<string, PlacementPolicy>>;
  readonly routers: Readonly<Record<string, RouterPolicy>>;
  /** Empty where all are of moecast. */
  readonly origins: readonly PolicyOrigin[];
  /** Runs a stretch of a run, and ends it where a policy never does. Absent where all are of moecast: theirs end. */
  readonly bounded?: <T>(work: () => T) => T;
}

/** The policies of moecast. */
export const builtInPolicies: PolicyTables = {
  caches: cachePolicies,
  placements: placementKinds,
  routers,
  origins: [],
};

/** Caches of a table that a run can follow: the others need the accesses to come. */
export const liveCacheNames = ({ caches }: PolicyTables): readonly string[] =>
  Object.keys(caches).filter((name) => !caches[name]!.needs.includes("future"));

/** Placements of a table that decide where experts go: all but a map from a file. */
export const placementNames = ({ placements }: PolicyTables): readonly string[] =>
  Object.keys(placements).filter((name) => !placements[name]!.needs.includes("map"));
