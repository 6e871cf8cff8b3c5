import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RequestQueue } from "../../../src/sim/request-state.ts";
import { addChunk, clearBatch, emptyBatch } from "../../../src/sim/step/batch.ts";
import { moeLayers, stagePlans } from "../../../src/sim/step/stage-plan.ts";
import { drawn } from "../../drawn.ts";
import { tinyModel } from "../build.ts";

const windows = Float64Array.of(3, 10, Number.POSITIVE_INFINITY);

describe("keys seen by a chunk of positions", () => {
  test("are counted position by position under every window", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 40 }), (done, tokens) => {
        const batch = emptyBatch(windows.length);
        addChunk(batch, windows, done, tokens, false);
        for (const [w, window] of windows.entries()) {
          const seen = new Set<number>();
          let pairs = 0;
          for (let position = done; position < done + tokens; position++)
            for (let key = Math.max(0, position - window + 1); key <= position; key++) {
              seen.add(key);
              pairs++;
            }
          expect(batch.prefillPairs[w]).toBe(pairs);
          expect(batch.prefillKeys[w]).toBe(seen.size);
          expect(batch.decodeKeys[w]).toBe(0);
        }
        expect([batch.tokens, batch.prefillTokens, batch.sequences, batch.decodeSequences]).toEqual([
          tokens,
          tokens,
          1,
          0,
        ]);
      }),
    );
  });

  test("are read once by a sequence that verifies draft tokens, and scored by each of them", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 9 }), (done, tokens) => {
        const verified = emptyBatch(windows.length);
        const prompt = emptyBatch(windows.length);
        addChunk(verified, windows, done, tokens, true);
        addChunk(prompt, windows, done, tokens, false);
        expect(verified.decodeKeys).toEqual(prompt.prefillKeys);
        expect(verified.decodePairs).toEqual(prompt.prefillPairs);
        expect([verified.tokens, verified.decodeTokens, verified.decodeSequences, verified.sequences]).toEqual([
          tokens,
          tokens,
          1,
          1,
        ]);
        expect(verified.prefillTokens).toBe(0);
      }),
    );
  });

  test("a decoding token sees itself and what came before, up to the window; clearing forgets all", () => {
    const batch = emptyBatch(windows.length);
    addChunk(batch, windows, 1, 1, true);
    addChunk(batch, windows, 11, 1, true);
    expect([...batch.decodeKeys]).toEqual([2 + 3, 2 + 10, 2 + 12]);
    expect(batch.decodePairs).toEqual(batch.decodeKeys);
    expect([batch.tokens, batch.decodeSequences, batch.decodeTokens, batch.sequences, batch.prefillTokens]).toEqual([
      2, 2, 2, 2, 0,
    ]);
    addChunk(batch, windows, 0, 5, false);
    clearBatch(batch);
    expect(batch).toEqual(emptyBatch(windows.length));
  });
});

test("the queue is first in, first out, with returned requests in front, at any length", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("back", "front", "take"), { maxLength: 600 }), (moves) => {
      const queue = new RequestQueue();
      const expected: number[] = [];
      // Long enough for the ring to grow while its head lies anywhere.
      for (const [i, move] of [...moves, ...moves.map(() => "back"), ...moves.map(() => "take")].entries()) {
        if (move === "back") {
          queue.pushBack(i);
          expected.push(i);
        } else if (move === "front") {
          queue.pushFront(i);
          expected.unshift(i);
        } else if (expected.length > 0) {
          expect(queue.peek()).toBe(expected[0]);
          expect(queue.popFront()).toBe(expected.shift());
        }
        expect(queue.size).toBe(expected.length);
      }
    }),
    { numRuns: drawn(50) },
  );
});

test("stages hold consecutive layers as evenly as whole layers allow, and number MoE layers through", () => {
  const tiny = tinyModel();
  const { attention, feedForward } = tiny.layers[0]!;
  const dense = { kind: "dense" as const, width: 512, matrices: 3 as const };
  const model = tinyModel({
    layers: Array.from({ length: 7 }, (_, i) => ({ attention, feedForward: i % 3 === 0 ? dense : feedForward })),
  });
  const plans = stagePlans(model, 3);
  expect(plans.map((plan) => [plan.first, plan.layers])).toEqual([
    [0, 3],
    [3, 2],
    [5, 2],
  ]);
  expect(plans.flatMap((plan) => [...plan.moeIndex])).toEqual([-1, 0, 1, -1, 2, 3, -1]);
  expect(plans.flatMap((plan) => [...plan.feedForwardClass])).toEqual([0, 1, 1, 0, 1, 1, 0]);
  expect(moeLayers(model).length).toBe(4);
});
