import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PrefetchPolicy } from "../../../src/policy/prefetch/prefetcher.ts";
import { type PrefetcherName, prefetchers } from "../../../src/policy/prefetch/prefetchers.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { drawn } from "../../drawn.ts";
import { contextOf, guessesOver, routing, valuesOf } from "./prefetch-cases.ts";

/** What a scenario has to give, where there is no default. */
const given: Partial<Record<PrefetcherName, object>> = { gate: { recall: 0.6, precision: 0.5 } };
const all = (Object.entries(prefetchers) as [PrefetcherName, PrefetchPolicy][]).map(([name, policy]) => ({
  name,
  policy,
  values: given[name] ?? {},
}));
const steps = [[0], [1, 22, 41], [2, 23], [3], [4, 24, 42, 43], [5]];
const setting = (seed: number, parts = {}) =>
  contextOf(routing(seed, { tokens: true }), {
    training: routing(seed + 1, { rows: 50, tokens: true }),
    distance: 2,
    budget: 3,
    ...parts,
  });

test("prefetchers are listed under their own names, with values that nothing contradicts", () => {
  for (const { name, policy, values } of all) {
    expect(policy.name).toBe(name);
    expect(policy.contradiction?.(valuesOf(policy, values)) ?? null).toBeNull();
    expect(policy.misfit?.(setting(1), valuesOf(policy, values)) ?? null).toBeNull();
    expect(policy.latencyNs(valuesOf(policy, values))).toBeGreaterThanOrEqual(0);
  }
});

describe.each(all)("$name", ({ policy, values }) => {
  test("guesses experts of layers behind the one that chose, each once", () => {
    const context = setting(2);
    const { layers, experts } = context;
    for (const step of guessesOver(policy, values, context, steps))
      for (const [at, guesses] of step.entries()) {
        expect(new Set(guesses).size).toBe(guesses.length);
        for (const key of guesses) {
          expect(key).toBeGreaterThanOrEqual(at * experts);
          expect(key).toBeLessThan(layers * experts);
        }
      }
  });

  test("guesses the same again, whatever another cache of the run guesses", () => {
    const context = setting(3);
    expect(guessesOver(policy, values, context, steps)).toEqual(guessesOver(policy, values, context, steps));
  });

  test("guesses nothing that its cache does not serve", () => {
    const context = setting(4);
    const held = Uint8Array.from({ length: context.layers * context.experts }, (_, key) => (key % 3 === 0 ? 0 : 1));
    const kept = (table: RoutingTable): RoutingTable => ({
      ...table,
      ids: table.ids.map((expert, at) => {
        const layer = Math.floor(at / table.topK) % table.layers;
        return held[layer * table.experts + expert] === 1 ? expert : table.experts;
      }) as Uint8Array,
    });
    const own = { ...context, replayed: kept(context.replayed) };
    const found = guessesOver(policy, values, own, steps, { cache: { index: 0, held } });
    for (const key of found.flat(2)) expect(held[key]).toBe(1);
  });

  if (policy.emulated) return;

  test("guesses without knowing what the step will ask for", () =>
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(steps.length - 1), fc.nat(3), (seed, s, layer) => {
        const context = setting(seed);
        const { replayed } = context;
        const other = routing(seed + 7, { tokens: true });
        // From layer `layer` of step s on, everything is different.
        const ids = replayed.ids.slice();
        const rest = new Set(steps.slice(s + 1).flat());
        for (let row = 0; row < replayed.rows; row++)
          for (let at = 0; at < replayed.layers * replayed.topK; at++)
            if (rest.has(row) || (steps[s]!.includes(row) && at >= (layer + 1) * replayed.topK))
              ids[row * replayed.layers * replayed.topK + at] = other.ids[row * replayed.layers * replayed.topK + at]!;
        const before = guessesOver(policy, values, context, steps, { silent: true });
        const after = guessesOver(policy, values, { ...context, replayed: { ...replayed, ids } }, steps, {
          silent: true,
        });
        expect(after.slice(0, s)).toEqual(before.slice(0, s));
        expect(after[s]!.slice(0, layer + 2)).toEqual(before[s]!.slice(0, layer + 2));
      }),
      { numRuns: drawn(20) },
    ));

  if (!policy.needs.includes("training")) return;

  test("learns from the training rows, and from no row that is replayed", () => {
    const context = setting(5);
    const { replayed } = context;
    const found = guessesOver(policy, values, context, [[0], [1]], { silent: true });
    // Rows that no step reads are all of one kind.
    const ids = replayed.ids.slice();
    for (let at = 2 * replayed.layers * replayed.topK; at < ids.length; at++) ids[at] = at % replayed.topK;
    expect(guessesOver(policy, values, { ...context, replayed: { ...replayed, ids } }, [[0], [1]])).toEqual(found);
    const elsewhere = routing(99, { rows: 50, tokens: true });
    expect(guessesOver(policy, values, { ...context, training: elsewhere }, [[0], [1]])).not.toEqual(found);
  });

  test("follows a budget of its own choosing: a smaller one is the beginning of a larger", () => {
    const context = setting(6, { distance: 1 });
    const few = guessesOver(policy, values, { ...context, budget: 1 }, steps);
    const more = guessesOver(policy, values, { ...context, budget: 4 }, steps);
    for (const [s, step] of few.entries())
      for (const [at, guesses] of step.entries()) expect(more[s]![at]!.slice(0, guesses.length)).toEqual(guesses);
  });
});
