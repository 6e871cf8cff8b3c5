import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activationMatrix } from "../../../src/policy/prefetch/activation-matrix.ts";
import { trajectory } from "../../../src/policy/prefetch/trajectory.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { drawn } from "../../drawn.ts";
import { contextOf, guessesOver, ranked, routing } from "./prefetch-cases.ts";

const steps = [[0], [1], [2, 20], [21]];
type Matrix = number[][];

/** [layer][expert] choices of rows. */
function countsOf(table: RoutingTable, rows: readonly number[]): Matrix {
  const { layers, experts, topK, ids } = table;
  const counts = Array.from({ length: layers }, () => Array.from({ length: experts }, () => 0));
  for (const row of rows)
    for (let at = 0; at < layers * topK; at++) {
      const expert = ids[row * layers * topK + at]!;
      if (expert < experts) counts[Math.floor(at / topK)]![expert]! += 1;
    }
  return counts;
}
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const cosine = (a: readonly number[], b: readonly number[]) => {
  const norms = Math.sqrt(dot(a, a) * dot(b, b));
  return norms === 0 ? 0 : dot(a, b) / norms;
};
const meanCosine = (a: Matrix, b: Matrix, from: number, to: number) =>
  a.slice(from, to).reduce((sum, row, i) => sum + cosine(row, b[from + i]!), 0) / (to - from);

/** Each guess is of an entry with the best similarity, and they are in its order of priority. */
function expectMatch(
  found: readonly number[],
  entries: readonly Matrix[],
  similarity: (entry: Matrix) => number,
  guessesOf: (entry: Matrix) => readonly number[],
): void {
  const best = Math.max(...entries.map(similarity));
  const alike = entries.filter((entry) => best - similarity(entry) < 1e-6);
  expect(alike.map((entry) => guessesOf(entry).join())).toContain(found.join());
}

function priorities(
  { layers, experts }: RoutingTable,
  entry: Matrix,
  layer: number,
  distance: number,
  budget: number,
  decay: number,
  choices?: number,
): number[] {
  const scores = new Map<number, number>();
  for (let ahead = layer + 1; ahead <= Math.min(layers - 1, layer + distance); ahead++) {
    const total = choices ?? entry[ahead]!.reduce((a, b) => a + b, 0);
    const shares = new Map(entry[ahead]!.map((count, expert) => [expert, count / total]));
    for (const expert of ranked(shares, budget))
      scores.set(ahead * experts + expert, shares.get(expert)! * (1 - (ahead - layer - 1) / decay));
  }
  // Whole counts over one total: what is equal on paper is made equal here.
  return ranked(new Map([...scores].map(([key, score]) => [key, Math.round(score * 1e9)])), scores.size);
}

const cases = fc.tuple(fc.nat(1e6), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }));

describe("activation-matrix", () => {
  test.each(["paper", "repo"] as const)("takes the nearest request, as the %s compares them", (variant) =>
    fc.assert(
      fc.property(cases, ([seed, distance, budget]) => {
        const replayed = routing(seed, { none: 0 });
        const training = routing(seed + 1, { rows: 40, sequences: 5, none: 0 });
        const { layers } = replayed;
        const entries = Array.from({ length: 5 }, (_, s) => {
          const [from, to] = [training.sequenceStarts[s]!, training.sequenceStarts[s + 1]!];
          return countsOf(
            training,
            Array.from({ length: to - from }, (_none, i) => from + i),
          );
        });
        const found = guessesOver(
          activationMatrix,
          { variant },
          contextOf(replayed, { training, distance, budget }),
          steps,
          {
            silent: true,
          },
        );
        for (let s = 0; s < steps.length; s++)
          for (let layer = 0; layer + 1 < layers; layer++) {
            const now = countsOf(replayed, steps[s]!);
            const past = countsOf(replayed, steps.slice(0, s).flat());
            // Layers that the step has not reached hold what earlier steps asked of them.
            const [seen, from, to] =
              variant === "paper" ? ([now, 0, layer + 1] as const) : ([past, layer + 1, layers] as const);
            expectMatch(
              found[s]![layer + 1]!,
              variant === "repo" && s === 0 ? [entries[0]!] : entries,
              (entry) => meanCosine(seen, entry, from, to),
              (entry) => priorities(replayed, entry, layer, distance, budget, layers + 1),
            );
          }
      }),
      { numRuns: drawn(20) },
    ),
  );

  test("takes longer with more entries", () => {
    const at = (entries: number) => activationMatrix.latencyNs({ variant: "paper", entries });
    expect(at(1000)).toBe(22_000);
    expect(at(10_000)).toBe(220_000);
  });
});

test("trajectory takes the nearest token by what the step has passed", () =>
  fc.assert(
    fc.property(cases, ([seed, distance, budget]) => {
      const replayed = routing(seed, { none: 0.3 });
      const training = routing(seed + 1, { rows: 30, none: 0.3 });
      const entries = Array.from({ length: 30 }, (_, row) => countsOf(training, [row]));
      const found = guessesOver(trajectory, {}, contextOf(replayed, { training, distance, budget }), steps, {
        silent: true,
      });
      for (let s = 0; s < steps.length; s++)
        for (let layer = 0; layer + 1 < replayed.layers; layer++) {
          const seen = countsOf(replayed, steps[s]!)
            .slice(0, layer + 1)
            .flat();
          expectMatch(
            found[s]![layer + 1]!,
            entries,
            (entry) => cosine(seen, entry.slice(0, layer + 1).flat()),
            (entry) => priorities(replayed, entry, layer, distance, budget, replayed.layers, replayed.topK),
          );
        }
    }),
    { numRuns: drawn(20) },
  ));

test("trajectory remembers as many tokens as it is told, from all over the training rows", () => {
  const replayed = routing(4, { none: 0 });
  const training = routing(5, { rows: 40, none: 0 });
  // Only row 20 of the two that are kept, 0 and 20, went where the step goes.
  training.ids.set(replayed.ids.subarray(0, replayed.layers * replayed.topK), 20 * replayed.layers * replayed.topK);
  const [found] = guessesOver(trajectory, { entries: 2 }, contextOf(replayed, { training }), [[0]], { silent: true });
  for (let layer = 0; layer + 1 < replayed.layers; layer++)
    expect([...found![layer + 1]!].sort((a, b) => a - b)).toEqual(
      [...replayed.ids.subarray((layer + 1) * replayed.topK, (layer + 2) * replayed.topK)]
        .map((expert) => (layer + 1) * replayed.experts + expert)
        .sort((a, b) => a - b),
    );
});
