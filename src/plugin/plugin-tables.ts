import { sha256 } from "../core/digest.ts";
import { InvalidInputError, type Problem } from "../core/errors.ts";
import type { Parameters, ParameterValues } from "../core/parameters.ts";
import type { CachePolicy } from "../policy/cache/expert-cache.ts";
import type { PlacementPolicy } from "../policy/placement/placement.ts";
import { builtInPolicies, type PolicyOrigin, type PolicyTables } from "../policy/policy-tables.ts";
import type { RouterPolicy } from "../policy/router/router.ts";
import { cacheKeyNames } from "../scenario/offload-section.ts";
import { placementKeyNames } from "../scenario/policy-section.ts";
import { checkedPlacement } from "./checked-placement.ts";
import { GuardedCache } from "./guarded-cache.ts";
import { guardedRouter } from "./guarded-router.ts";
import { checksOf } from "./parameter-types.ts";
import type { CachePlugin, PlacementPlugin, Plugin, PluginValues, RouterPlugin } from "./plugin.ts";
import { PluginCalls, type PolicyName } from "./plugin-calls.ts";
import { readPlugin } from "./read-plugin.ts";

/** A plugin, and the file that it came from; without one it is a value of the program. */
export interface PluginSource {
  readonly plugin: Plugin;
  readonly file?: { readonly name: string; readonly sha256: string };
}

/**
 * The policies of moecast and those of plugins, each of which is held to what its family has to keep.
 * @param limitMs that one decision, or a stretch of a run, may take
 * @throws InvalidInputError for names that are taken, and parameters that a section has anyway
 */
export function pluginTables(sources: readonly PluginSource[], limitMs?: number): PolicyTables {
  if (sources.length === 0) return builtInPolicies;
  const calls = new PluginCalls(limitMs);
  const caches: Record<string, CachePolicy> = { ...builtInPolicies.caches };
  const placements: Record<string, PlacementPolicy> = { ...builtInPolicies.placements };
  const routers: Record<string, RouterPolicy> = { ...builtInPolicies.routers };
  const origins: PolicyOrigin[] = [];
  const problems: Problem[] = [];
  const owners = new Map<string, string>();
  for (const given of sources) {
    const source = given.file?.name ?? "plugin";
    const plugin = readPlugin(given.plugin, source);
    const say = (at: string, expected: string, found: unknown) => problems.push({ file: source, at, expected, found });
    if (origins.some((other) => other.plugin === plugin.name))
      say("name", "another name: a plugin of this name is given already", plugin.name);
    const add = <Given extends { readonly name: string; readonly parameters?: object }, Policy>(
      family: "caches" | "placements" | "routers",
      given: readonly Given[],
      table: Record<string, Policy>,
      reserved: readonly string[],
      guarded: (policy: Given, name: PolicyName) => Policy,
    ): string[] =>
      given.map((policy, i) => {
        const { name } = policy;
        const owner = owners.get(`${family} ${name}`);
        if (Object.hasOwn(table, name))
          say(`${family}[${i}].name`, `a name that is not taken: ${owner ?? "moecast"} has ${name}`, name);
        for (const key of Object.keys(policy.parameters ?? {}))
          if (reserved.includes(key))
            say(`${family}[${i}].parameters.${key}`, "another name: sections of this family have this key anyway", key);
        owners.set(`${family} ${name}`, `plugin ${plugin.name}`);
        const kind = `${family.slice(0, -1)} ${name}`;
        table[name] = guarded(policy, { source, plugin: plugin.name, policy: kind });
        return name;
      });
    origins.push({
      plugin: plugin.name,
      file: given.file?.name ?? null,
      sha256: given.file?.sha256 ?? sha256(textOf(plugin)),
      caches: add("caches", plugin.caches ?? [], caches, cacheKeyNames, (own, name) => cacheOf(own, calls, name)),
      placements: add("placements", plugin.placements ?? [], placements, placementKeyNames, (own, name) =>
        placementOf(own, calls, name),
      ),
      routers: add("routers", plugin.routers ?? [], routers, [], (own, name) => routerOf(own, calls, name)),
    });
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return { caches, placements, routers, origins, bounded: calls.bounded };
}

const valuesOf = (values: ParameterValues<Parameters> | undefined): PluginValues => (values ?? {}) as PluginValues;

const cacheOf = (policy: CachePlugin, calls: PluginCalls, name: PolicyName): CachePolicy => ({
  name: policy.name,
  rule: policy.rule,
  needs: policy.needs ?? [],
  parameters: checksOf(policy.parameters ?? {}),
  create: (context, values) => {
    const cache = calls.ask(name, "create(context, values)", () => policy.create({ ...context }, valuesOf(values)));
    return new GuardedCache(cache, context, calls, name);
  },
});

const placementOf = (policy: PlacementPlugin, calls: PluginCalls, name: PolicyName): PlacementPolicy => ({
  name: policy.name,
  rule: policy.rule,
  needs: policy.needs ?? [],
  parameters: checksOf(policy.parameters ?? {}),
  makesCopies: policy.makesCopies === true,
  place: (input, values, tools) => {
    const check = (placement: Awaited<ReturnType<PlacementPlugin["place"]>>) =>
      checkedPlacement(placement, input, policy.makesCopies === true, name);
    const placed = calls.bounded(() =>
      calls.ask(name, "place(input, values, tools)", () => policy.place(input, valuesOf(values), tools)),
    );
    return placed instanceof Promise
      ? calls.awaited(name, "place(input, values, tools)", placed).then(check)
      : check(placed);
  },
});

const routerOf = (policy: RouterPlugin, calls: PluginCalls, name: PolicyName): RouterPolicy => ({
  name: policy.name,
  create: (targets) =>
    guardedRouter(
      calls.ask(name, "create(targets)", () => policy.create(targets)),
      targets,
      calls,
      name,
    ),
});

/** The text of a plugin that has no file: its names, definitions and functions as they are written. */
const textOf = (plugin: Plugin): string =>
  JSON.stringify(plugin, (_key, value: unknown) => (typeof value === "function" ? String(value) : value));
