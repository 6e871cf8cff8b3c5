import type { Parameters } from "../../core/parameters.ts";
import { type MissPolicyName, missPolicies } from "../../policy/miss/miss-policies.ts";
import type { MissPolicy } from "../../policy/miss/miss-policy.ts";
import { liveCacheNames, type PolicyTables } from "../../policy/policy-tables.ts";
import { gatePresets } from "../../policy/prefetch/gate-presets.ts";
import { prefetchers } from "../../policy/prefetch/prefetchers.ts";
import { type Axis, axes } from "./axes.ts";

/** What it varies unless it is told: one after the other, what can be set without buying anything. */
export const settableAxes: readonly Axis[] = axes.filter((axis) => axis !== "memory");

/** One change of a scenario. */
export interface Candidate {
  readonly axis: Axis;
  readonly name: string;
  /** Settings that make it, as `--set` takes them. */
  readonly set: readonly string[];
}

/** The choice that a scenario makes on an axis, and the keys beside it that belong to that choice alone. */
export interface Chosen {
  readonly kind: string;
  readonly keys: readonly string[];
}

/** Shares of the experts that get slots, when sizes are compared. */
const eighths = [1, 2, 3, 4, 5, 6, 7, 8];

const section = "policy.offload";

/** Settings that exchange the kind of a section. Keys of the old kind go first: the new one may not know them. */
function exchange(path: string, { kind, keys }: Chosen, to: string): string[] {
  if (kind === to) return [];
  return [...keys.map((key) => `${path}.${key}=null`), `${path}.kind=${to}`];
}

/** What is put into a cache where the scenario's own way with misses puts nothing into it. */
const fetched = (miss: Chosen): string[] => (keepsOut(miss.kind) ? exchange(`${section}.miss`, miss, "fetch") : []);

/** Whether no missing expert enters a cache, so that it goes with a fixed set alone. */
const keepsOut = (miss: string): boolean => (missPolicies[miss as MissPolicyName] as MissPolicy).keepsOut === true;

/**
 * Every cache policy that a run can follow, each with misses that fill it. One that ranks over all layers gets the settings of
 * a cache for all of them, where `global` has some.
 */
export const policyCandidates = (
  tables: PolicyTables,
  chosen: Chosen,
  miss: Chosen,
  global: readonly string[],
): Candidate[] =>
  liveCacheNames(tables).map((name) => {
    const set = exchange(section, chosen, name);
    if (name === chosen.kind) return { axis: "policy", name, set };
    const over = tables.caches[name]!.needs.includes("layers") ? global : [];
    return { axis: "policy", name, set: [...set, ...(name === "static" ? [] : fetched(miss)), ...over] };
  });

/**
 * Slots for an eighth of the experts up to all of them; `experts` of one cache, `least` of them for what a token chooses at once:
 * a cache below streams every call, and is never advised.
 */
export function slotCandidates(experts: number, least: number): Candidate[] {
  const sizes = new Set(eighths.map((part) => Math.max(1, Math.round((experts * part) / 8))));
  return [...sizes]
    .filter((slots) => slots >= least)
    .map((slots) => ({
      axis: "slots",
      name: String(slots),
      set: [`${section}.memory=null`, `${section}.slotsPerLayer=null`, `${section}.slots=${slots}`],
    }));
}

/**
 * Everything that can be done about misses; with a fixed set where nothing that is missing enters the cache. `deviceFrom`: the
 * tokens of a step from which the engine has the device compute what the host else does; null: never.
 */
export const missCandidates = (chosen: Chosen, cache: Chosen, deviceFrom: number | null): Candidate[] =>
  Object.keys(missPolicies).map((name) => {
    const set = exchange(`${section}.miss`, chosen, name);
    if (set.length === 0) return { axis: "miss", name, set };
    const from = name === "host" && deviceFrom !== null ? [`${section}.miss.deviceFrom=${deviceFrom}`] : [];
    const fixed = keepsOut(name) && cache.kind !== "static";
    return {
      axis: "miss",
      name: fixed ? `${name}, fixed set` : name,
      set: [...set, ...from, ...(fixed ? exchange(section, cache, "static") : [])],
    };
  });

/** Each prefetcher there is, the one that guesses nothing among them, and the gate as published. `beside`: settings of all. */
export const prefetchCandidates = (chosen: Chosen | null, beside: readonly string[]): Candidate[] =>
  Object.keys(prefetchers).flatMap((name): Candidate[] => {
    const set = [...exchange(`${section}.prefetch`, chosen ?? { kind: "", keys: [] }, name), ...beside];
    if (name !== "gate" || chosen?.kind === "gate") return [{ axis: "prefetch", name, set }];
    return Object.keys(gatePresets).map((preset) => ({
      axis: "prefetch",
      name: `${name} as ${preset}`,
      set: [...set, `${section}.prefetch.preset=${preset}`],
    }));
  });

/** Keys of a section that belong to the kind it names. */
export const keysOf = (parameters: Parameters, given: object): string[] =>
  Object.keys(parameters).filter((key) => (given as Readonly<Record<string, unknown>>)[key] !== undefined);
