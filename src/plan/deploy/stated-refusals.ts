import type { Refusal } from "../../engine/launch/launch.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { poolSections } from "../../scenario/pools-section.ts";
import { choiceRows, saysChoice } from "./choice-classes.ts";

/** Whether the scenario, or pool `index` of it, states a key. A section of the pool's own replaces the scenario's. */
export function statesIn(scenario: Scenario, index: number, path: string): boolean {
  const [section, ...rest] = path.split(".");
  const pool = scenario.pools?.[index];
  if (pool === undefined) return scenario.states([section!, ...rest]);
  if (section === "pools") return scenario.states(["pools", index, ...rest]);
  const isOwn = poolSections.some((name) => name === section && pool[name] !== undefined);
  return scenario.states(isOwn ? ["pools", index, section!, ...rest] : [section!, ...rest]);
}

/** Values that ask for nothing: a scenario may state them. */
const neutral: Readonly<Record<string, unknown>> = {
  "engine.startsAnyway": false,
  "pools.variants": 1,
  "pools.popularity": 0,
  "handover.localPromptTokens": 0,
  "parallel.tp": 1,
  "parallel.cp": 1,
  "parallel.dp": 1,
  "parallel.pp": 1,
  "parallel.ep": 1,
  "parallel.etp": 1,
  "parallel.edp": 1,
  "policy.router": "least-loaded",
  "policy.offload.diskPath": "host",
  "policy.offload.hostCache": "inclusive",
  "policy.offload.tiering": "static",
  "policy.offload.overlap": true,
};

/** Mappings whose `kind` is what a scenario has anyway. */
const neutralKinds: Readonly<Record<string, string>> = {
  "policy.offload.admission": "always",
  "policy.offload.prefetch": "none",
  "policy.placement.dispatch": "round-robin",
};

/** What pool `index` of a scenario states and its engine's files cannot say. `name`: the engine in messages. */
export function statedRefusals(scenario: Scenario, index: number, engine: string, name: string): Refusal[] {
  return Object.entries(choiceRows).flatMap(([path, { as, why }]): Refusal[] => {
    if (as !== "refused" && as !== "launched") return [];
    if (!statesIn(scenario, index, path) || isNeutral(path, valueAt(scenario, index, path))) return [];
    if (as === "refused") return [{ choice: path, reason: why }];
    return saysChoice(engine, path) ? [] : [{ choice: path, reason: `${name} has no option for it` }];
  });
}

const isNeutral = (path: string, value: unknown): boolean =>
  (Object.hasOwn(neutral, path) && neutral[path] === value) ||
  (Object.hasOwn(neutralKinds, path) && (value as { readonly kind?: unknown }).kind === neutralKinds[path]);

function valueAt(scenario: Scenario, index: number, path: string): unknown {
  const [section, ...rest] = path.split(".");
  const pool = scenario.pools?.[index] as Readonly<Record<string, unknown>> | undefined;
  const top =
    section === "pools" ? pool : (pool?.[section!] ?? (scenario as unknown as Record<string, unknown>)[section!]);
  return rest.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key], top);
}
