import fc from "fast-check";
import { expect, test } from "vitest";
import { type LrcPolicy, lookAhead, lrcHits, lrcLfu, lrcReplay, oneByOne } from "../../../src/offload/replay/lrc.ts";
import { segmentCover } from "../../../src/offload/replay/segment-cover.ts";
import { belady } from "../../../src/policy/cache/belady.ts";
import type { CallLog } from "../../../src/policy/cache/expert-cache.ts";
import { lru } from "../../../src/policy/cache/lru.ts";
import { drawn } from "../../drawn.ts";
import { anyTable, choicesOf, tokensTable } from "./tables.ts";

const experts = 7;
const sequence = fc.array(fc.uniqueArray(fc.nat(experts - 1), { minLength: 2, maxLength: 2 }), {
  minLength: 1,
  maxLength: 24,
});

const logOf = (tokens: readonly number[][]): CallLog => ({
  keys: Uint32Array.from(tokens.flat()),
  starts: Uint32Array.from({ length: tokens.length + 1 }, (_, token) => 2 * token),
  calls: tokens.length,
});

/** What a policy evicts first: the lowest of [rank, last use], given everything before and after a position. */
type Rank = (expert: number, position: number, tokens: readonly number[][]) => number;

/** The procedure as the paper's code runs it, written down once more. */
function naive(tokens: readonly number[][], slots: number, rank: Rank): number {
  const flat = tokens.flat();
  let cache: number[] = [];
  const seen: number[] = [];
  let hits = 0;
  for (const [index, token] of tokens.entries()) {
    const start = [...cache];
    for (const expert of token) {
      if (start.includes(expert)) hits += 1;
      else if (!seen.includes(expert) && seen.length < slots) hits += 1;
      if (!seen.includes(expert)) seen.push(expert);
    }
    for (const [i, expert] of token.entries()) {
      const position = 2 * index + i;
      if (!cache.includes(expert)) {
        if (cache.length === slots) {
          const lastUse = (e: number) => flat.lastIndexOf(e, position - 1);
          const order = [...cache].sort(
            (a, b) => rank(a, position, tokens) - rank(b, position, tokens) || lastUse(a) - lastUse(b),
          );
          cache = cache.filter((e) => e !== order[0]);
        }
        cache.push(expert);
      }
    }
  }
  return hits;
}

const ranks: readonly [string, LrcPolicy, Rank][] = [
  ["LRU", oneByOne(lru), () => 0],
  [
    "LFU",
    lrcLfu,
    (expert, position, tokens) =>
      tokens
        .flat()
        .slice(0, position)
        .filter((e) => e === expert).length,
  ],
  [
    "Belady",
    oneByOne(belady),
    (expert, position, tokens) => {
      const next = tokens.flat().indexOf(expert, position);
      return next < 0 ? Number.NEGATIVE_INFINITY : -next;
    },
  ],
  ...[1, 4].map((segment): [string, LrcPolicy, Rank] => [
    `SCH(${segment})`,
    lookAhead(segment),
    (expert, position, tokens) => {
      const end = 2 * Math.min(tokens.length, Math.floor(position / 2) + segment);
      return tokens
        .flat()
        .slice(position, end)
        .filter((e) => e === expert).length;
    },
  ]),
];

test.each(ranks)(
  "%s in the counting of moe-lrc is the procedure, step by step, at every size",
  (_name, policy, rank) => {
    fc.assert(
      fc.property(sequence, (tokens) => {
        let withAll = 0;
        for (let slots = 1; slots <= experts; slots++) {
          const hits = lrcHits(logOf(tokens), experts, slots, policy);
          expect(hits).toBe(naive(tokens, slots, rank));
          withAll = hits;
        }
        // The free cold fill: with room for all, everything hits.
        expect(withAll).toBe(2 * tokens.length);
      }),
      { numRuns: drawn(60) },
    );
  },
);

test("hits are counted at the start of a token, and a token may evict what it has just used", () => {
  // 0 1 fill two slots for free; 2 pushes out 0 and then 0 pushes out 1, so that the next 1 misses and the next 2 hits.
  const tokens = [
    [0, 1],
    [2, 0],
    [2, 1],
  ];
  expect(lrcHits(logOf(tokens), 3, 2, oneByOne(lru))).toBe(2 + 1 + 1);
});

test("every layer and sequence has a cache of its own", () => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 1, max: 4 }), (table, slots) => {
      let hits = 0;
      for (let layer = 0; layer < table.layers; layer++)
        for (let s = 0; s + 1 < table.sequenceStarts.length; s++) {
          const rows = Array.from(
            { length: table.sequenceStarts[s + 1]! - table.sequenceStarts[s]! },
            (_, i) => table.sequenceStarts[s]! + i,
          );
          hits += naive(
            rows.map((row) => choicesOf(table, row, layer)),
            slots,
            () => 0,
          );
        }
      expect(lrcReplay(table, slots, oneByOne(lru))).toEqual({ hits, accesses: table.rows * table.layers * 2 });
    }),
    { numRuns: drawn(40) },
  );
});

test("schStatic covers what the most used experts of each segment are asked for", () => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }), (table, segment, slots) => {
      let covered = 0;
      let chosen = 0;
      for (let layer = 0; layer < table.layers; layer++)
        for (let s = 0; s + 1 < table.sequenceStarts.length; s++)
          for (let row = table.sequenceStarts[s]!; row + segment <= table.sequenceStarts[s + 1]!; row++) {
            const all = Array.from({ length: segment }, (_, i) => choicesOf(table, row + i, layer)).flat();
            const uses = Array.from({ length: table.experts }, (_, e) => all.filter((id) => id === e).length);
            covered += uses
              .sort((a, b) => b - a)
              .slice(0, slots)
              .reduce((sum, count) => sum + count, 0);
            chosen += all.length;
          }
      expect(segmentCover(table, segment, slots)).toEqual(chosen === 0 ? null : covered / chosen);
    }),
    { numRuns: drawn(60) },
  );
  const same = tokensTable([[[0, 1]], [[0, 1]], [[1, 0]]], 4, [3]);
  expect(segmentCover(same, 2, 2)).toBe(1);
  expect(segmentCover(same, 2, 1)).toBe(0.5);
});
