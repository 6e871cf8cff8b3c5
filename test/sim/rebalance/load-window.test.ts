import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LoadWindow } from "../../../src/sim/rebalance/load-window.ts";
import { drawn } from "../../drawn.ts";

const experts = 3;
/** Layers that hold experts, and the recorded layers that they and further visits replay. */
const replayed = [[0], [2, 1]];
const pass = fc.array(fc.nat(9), { minLength: 3 * (experts + 1), maxLength: 3 * (experts + 1) });

/** Loads of some passes, added up one by one. */
const summed = (passes: readonly number[][], layers: readonly number[]): number[] =>
  layers.flatMap((layer) =>
    Array.from({ length: experts }, (_, expert) =>
      passes.reduce(
        (sum, counts) =>
          sum + replayed[layer]!.reduce((all, recorded) => all + counts[recorded * (experts + 1) + expert]!, 0),
        0,
      ),
    ),
  );

describe("loads of a window", () => {
  it("are those of the latest passes: exactly of up to 32, of longer windows with the oldest sum given up whole", () => {
    fc.assert(
      fc.property(fc.array(pass, { maxLength: 120 }), fc.constantFrom(1, 2, 31, 32, 33, 64, 100), (passes, length) => {
        const window = new LoadWindow(experts, replayed, length);
        for (const counts of passes) window.add(Uint32Array.from(counts));
        const block = Math.ceil(length / 32);
        const blocks = Math.ceil(length / block);
        const kept = Math.min(passes.length, (blocks - 1) * block + (((passes.length - 1 + block) % block) + 1));
        expect([...window.loads([1, 0])]).toEqual(summed(passes.slice(passes.length - kept), [1, 0]));
        expect(kept).toBeGreaterThan(Math.min(passes.length, length) - block);
        const stretches = window.stretches([0, 1]);
        expect(stretches.length).toBe(blocks);
        expect([...stretches.reduce((sum, each) => sum.map((value, i) => value + each[i]!))]).toEqual([
          ...window.loads([0, 1]),
        ]);
        if (block === 1 && passes.length > 0) expect([...stretches.at(-1)!]).toEqual(summed(passes.slice(-1), [0, 1]));
      }),
      { numRuns: drawn(100) },
    );
  });

  it("without a length are those since a layer was cleared", () => {
    const window = new LoadWindow(experts, replayed, null);
    const counts = Array.from({ length: 3 * (experts + 1) }, (_, i) => i);
    window.add(Uint32Array.from(counts));
    window.clear([1]);
    window.add(Uint32Array.from(counts));
    expect([...window.loads([0, 1])]).toEqual([...summed([counts, counts], [0]), ...summed([counts], [1])]);
  });
});
