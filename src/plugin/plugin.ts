import type { CacheContext, CacheNeed, ExpertCache } from "../policy/cache/expert-cache.ts";
import type { Placement, PlacementInput, PlacementNeed, PlacementTools } from "../policy/placement/placement.ts";
import type { Router } from "../policy/router/router.ts";

/**
 * A parameter that a scenario may give beside the `kind` of a policy, in plain values. Without a default the scenario has to give
 * one. `bytes` and `duration` are written as text with their unit, such as 24GiB or 800ms; values are bytes and ns.
 */
export type ParameterDefinition = { readonly description: string } & (
  | { readonly type: "integer" | "number"; readonly min?: number; readonly max?: number; readonly default?: number }
  | { readonly type: "boolean"; readonly default?: boolean }
  | { readonly type: "choice"; readonly of: readonly string[]; readonly default?: string }
  | { readonly type: "bytes" | "duration"; readonly default?: number }
);

export type ParameterDefinitions = Readonly<Record<string, ParameterDefinition>>;

/** Values of the parameters of a policy by name: checked, defaults filled in. */
export type PluginValues = Readonly<Record<string, number | boolean | string>>;

interface PluginPolicy {
  /** Word by which scenarios name it: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly rule: string;
  readonly parameters?: ParameterDefinitions;
}

/** A policy of expert caches. See {@link ExpertCache} for what a cache has to keep. */
export interface CachePlugin extends PluginPolicy {
  /** What it wants to be told; the accesses to come are not to be had. */
  readonly needs?: readonly Exclude<CacheNeed, "future">[];
  /** A cache of its own for each layer, or one for all; called again wherever a run begins with empty caches. */
  create(context: CacheContext, values: PluginValues): ExpertCache;
}

/** A policy that says which expert lies where. */
export interface PlacementPlugin extends PluginPolicy {
  readonly needs?: readonly Exclude<PlacementNeed, "map">[];
  /** Whether it makes copies of experts, so that scenarios may ask for redundant ones. Absent: it does not. */
  readonly makesCopies?: boolean;
  place(input: PlacementInput, values: PluginValues, tools: PlacementTools): Placement | Promise<Placement>;
}

/** A policy that chooses a target for each request. Like those of moecast it has no parameters. */
export interface RouterPlugin extends Omit<PluginPolicy, "parameters"> {
  /** A router of its own for each set of targets, and another one wherever targets come or go. */
  create(targets: number): Router;
}

/**
 * Policies of a user: what a plugin file exports by default. They are code that runs with the rights of the user. What they decide
 * has to follow from what they are told alone: no clock, no chance but from the seed, nothing kept from one run to the next.
 */
export interface Plugin {
  /** Name that results state. */
  readonly name: string;
  readonly caches?: readonly CachePlugin[];
  readonly placements?: readonly PlacementPlugin[];
  readonly routers?: readonly RouterPlugin[];
}
