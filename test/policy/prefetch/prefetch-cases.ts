import { z } from "zod";
import { RandomStream } from "../../../src/core/random.ts";
import { Guesses } from "../../../src/policy/prefetch/guesses.ts";
import type {
  PrefetchContext,
  PrefetchedCache,
  PrefetchPolicy,
  PrefetchStep,
} from "../../../src/policy/prefetch/prefetcher.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";

/** Random routing in which an expert is often followed by its neighbour in the next layer, and some choices are of no expert. */
export function routing(
  seed: number,
  { rows = 60, layers = 4, experts = 6, topK = 2, sequences = 3, tokens = false, sticky = 0.6, none = 0.05 } = {},
): RoutingTable {
  const random = new RandomStream(seed, "cases");
  const ids = new Uint8Array(rows * layers * topK);
  for (let row = 0; row < rows; row++)
    for (let layer = 0; layer < layers; layer++) {
      const at = (row * layers + layer) * topK;
      const taken = new Set<number>();
      for (let k = 0; k < topK; k++) {
        const before = layer > 0 ? ids[at - topK + k]! : experts;
        let expert = before < experts && random.uniform() < sticky ? (before + 1) % experts : random.below(experts);
        while (taken.has(expert)) expert = (expert + 1) % experts;
        taken.add(expert);
        ids[at + k] = expert;
      }
      if (topK > 1 && random.uniform() < none) ids[at + topK - 1] = experts;
    }
  return {
    experts,
    topK,
    layers,
    rows,
    ids,
    ...(tokens ? { tokens: Uint32Array.from({ length: rows }, () => random.below(5)) } : {}),
    sequenceStarts: Uint32Array.from({ length: sequences + 1 }, (_, s) => Math.round((s * rows) / sequences)),
    domains: ["all"],
    domainStarts: Uint32Array.of(0, rows),
    modelLayers: Array.from({ length: layers }, (_, layer) => layer),
    origin: { kind: "recorded", name: "cases", digest: `cases ${seed}`, sourceRows: rows, phase: "unknown", notes: [] },
  };
}

export function contextOf(replayed: RoutingTable, parts: Partial<PrefetchContext> = {}): PrefetchContext {
  const { layers, experts, topK } = replayed;
  return {
    layers,
    experts,
    topK,
    distance: 1,
    budget: experts,
    layerMap: Array.from({ length: layers }, (_, layer) => layer),
    replayed,
    training: null,
    quality: null,
    seed: 1,
    ...parts,
  };
}

/** The experts that rows ask for at a layer, in the order in which they are met. */
export function asked({ ids, layers, topK, experts }: RoutingTable, rows: readonly number[], layer: number): number[] {
  const chosen = rows.flatMap((row) => [...ids.subarray((row * layers + layer) * topK).subarray(0, topK)]);
  return [...new Set(chosen.filter((expert) => expert < experts))];
}

/** A step of rows of a table that says what it will ask for. */
function stepOf(table: RoutingTable, rows: readonly number[]): PrefetchStep {
  return {
    rows: Int32Array.from(rows),
    count: rows.length,
    choices: (layer, out) => {
      const experts = asked(table, rows, layer);
      out.set(experts.map((expert) => layer * table.experts + expert));
      return experts.length;
    },
  };
}

/** The same, which throws where it is asked. */
const silentStep = (rows: readonly number[]): PrefetchStep => ({
  rows: Int32Array.from(rows),
  count: rows.length,
  choices: () => {
    throw new Error("asked for what is to come");
  },
});

/** Values of a policy as a scenario gives them. */
export const valuesOf = (policy: PrefetchPolicy, values: object = {}): Record<string, unknown> =>
  z.strictObject(policy.parameters).parse(values);

/** What a prefetcher guesses over steps: [step][0] at its start, [step][layer + 1] when a layer has chosen; keys in order. */
export function guessesOver(
  policy: PrefetchPolicy,
  values: object,
  context: PrefetchContext,
  steps: readonly (readonly number[])[],
  { silent = false, cache = { index: 0, held: null } as PrefetchedCache } = {},
): number[][][] {
  const prefetcher = policy.prepare(context, valuesOf(policy, values))(cache);
  const { replayed, layers, experts } = context;
  const out = new Guesses(layers * experts);
  const taken = (): number[] => {
    const keys = [...out.keys.subarray(0, out.count)];
    out.clear();
    return keys;
  };
  prefetcher.requestStarts?.();
  return steps.map((rows) => {
    const step = silent ? silentStep(rows) : stepOf(replayed, rows);
    prefetcher.stepStarts(step, out);
    const guesses = [taken()];
    for (let layer = 0; layer < layers; layer++) {
      const keys = asked(replayed, rows, context.layerMap[layer]!).map((expert) => layer * experts + expert);
      prefetcher.layerChosen(step, layer, Uint32Array.from(keys), keys.length, out);
      guesses.push(taken());
    }
    return guesses;
  });
}

/** Experts by descending score, those above 0, ties to the lower id. */
export const ranked = (scores: ReadonlyMap<number, number>, budget: number): number[] =>
  [...scores]
    .filter(([, score]) => score > 0)
    .sort(([a, x], [b, y]) => y - x || a - b)
    .slice(0, budget)
    .map(([expert]) => expert);
