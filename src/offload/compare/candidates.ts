import type { Parameters } from "../../core/parameters.ts";
import { livePolicyNames } from "../../policy/cache/caches.ts";
import { missPolicies } from "../../policy/miss/miss-policies.ts";
import { prefetchers } from "../../policy/prefetch/prefetchers.ts";

/** What a comparison varies, one after the other. */
export const axes = ["policy", "slots", "miss", "prefetch"] as const;
export type Axis = (typeof axes)[number];

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

/** Every cache policy that a run can follow. */
export const policyCandidates = (chosen: Chosen): Candidate[] =>
  livePolicyNames.map((name) => ({ axis: "policy", name, set: exchange(section, chosen, name) }));

/**
 * Settings that make a cache of what flags leave on the device: as many slots a layer. Flags say where whole experts are for
 * good, so nothing can be varied beside them.
 */
export const withoutFlags = (slotsPerLayer: number): string[] => [
  `${section}.flags=null`,
  `${section}.scope=layer`,
  `${section}.slots=${slotsPerLayer}`,
];

/** Slots for an eighth of the experts up to all of them; `experts` of one cache, `byMemory`: where the scenario states bytes. */
export function slotCandidates(experts: number, byMemory: boolean): Candidate[] {
  const sizes = new Set(eighths.map((part) => Math.max(1, Math.round((experts * part) / 8))));
  return [...sizes].map((slots) => ({
    axis: "slots",
    name: String(slots),
    set: [...(byMemory ? [`${section}.memory=null`] : []), `${section}.slots=${slots}`],
  }));
}

/** Everything that can be done about misses. */
export const missCandidates = (chosen: Chosen): Candidate[] =>
  Object.keys(missPolicies).map((name) => ({ axis: "miss", name, set: exchange(`${section}.miss`, chosen, name) }));

/** Each prefetcher there is, the one that guesses nothing among them. */
export const prefetchCandidates = (chosen: Chosen | null): Candidate[] =>
  Object.keys(prefetchers).map(
    (name): Candidate => ({
      axis: "prefetch",
      name,
      set: exchange(`${section}.prefetch`, chosen ?? { kind: "", keys: [] }, name),
    }),
  );

/** Keys of a section that belong to the kind it names. */
export const keysOf = (parameters: Parameters, given: object): string[] =>
  Object.keys(parameters).filter((key) => (given as Readonly<Record<string, unknown>>)[key] !== undefined);
