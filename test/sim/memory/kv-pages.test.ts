import { describe, expect, test } from "vitest";
import { Holding } from "../../../src/sim/memory/holding.ts";
import { sharedPages } from "../../../src/sim/memory/kv-pages.ts";
import type { LayerCache } from "../../../src/sim/memory/layer-cache.ts";

const full = (bytesPerToken = 256): LayerCache => ({ kind: "full", bytesPerToken });
const window = (windowTokens: number, bytesPerToken = 256): LayerCache => ({
  kind: "window",
  bytesPerToken,
  windowTokens,
  chunked: false,
});
const state = (bytes: number): LayerCache => ({ kind: "state", bytes });
const times = (count: number, cache: LayerCache) => Array.from({ length: count }, () => cache);

describe("pages of one pool", () => {
  test("the example of the vLLM documentation: 10 full layers, 20 with a window of 32, a request of 112 tokens", () => {
    const pages = sharedPages([[...times(10, full()), ...times(20, window(32))]], 16);
    const holding = new Holding(pages.groups);
    expect(holding.fullBlocks(112)).toBe(7);
    expect(holding.passingBlocks(111, 112)).toBe(2 * 2);
    expect(pages.blockBytes).toEqual([10 * 16 * 256]);
  });

  test("the last group of the more frequent type is filled up: 52 windows to 10 full layers are 6 groups", () => {
    const pages = sharedPages([[...times(10, full()), ...times(52, window(1024))]], 16);
    expect(pages.groups.map(({ copies }) => copies)).toEqual([1, 6]);
    expect(pages.blockBytes).toEqual([10 * 16 * 256]);
  });

  test("of nearly equal numbers the larger one makes the group: 12 windows and 13 full layers", () => {
    const pages = sharedPages([[...times(12, window(128)), ...times(13, full())]], 16);
    expect(pages.groups.map(({ copies }) => copies)).toEqual([1, 1]);
    expect(pages.blockBytes).toEqual([13 * 16 * 256]);
  });

  test("groups that would be nearly half empty are of one layer: 20 full layers, 21 of other entries, 41 windows", () => {
    const pages = sharedPages([[...times(20, full(8)), ...times(21, full()), ...times(41, window(128))]], 16);
    expect(pages.groups.map(({ copies }) => copies)).toEqual([20, 21, 41]);
    expect(pages.blockBytes).toEqual([16 * 256]);
  });

  test("layers that need blocks for the same tokens share a table, whatever their sizes", () => {
    const pages = sharedPages([[full(100), full(300)], [full(70)]], 16);
    expect(pages.groups).toEqual([{ kind: "full", blockTokens: 16, copies: 1 }]);
    expect(pages.blockBytes).toEqual([400 * 16, 70 * 16]);
  });

  test("smaller entries put more tokens on a page, and a large state enlarges all pages", () => {
    const pages = sharedPages([[full(256), window(64, 512), state(20_000)]], 16);
    // The largest entries fill 8,192 bytes; a state takes three times that.
    expect(pages.blockBytes).toEqual([3 * 8192]);
    expect(pages.groups).toEqual([
      { kind: "full", blockTokens: 16 * 6, copies: 1 },
      { kind: "window", blockTokens: 16 * 3, copies: 1, windowTokens: 64 },
      { kind: "state", copies: 1 },
    ]);
    expect(pages.blockTokens).toBe(96);
  });

  test("groups are dealt over all stages; the largest one of a stage sets the size of its blocks", () => {
    const stage = [full(), window(32), window(32)];
    expect(sharedPages([stage, stage], 16).blockBytes).toEqual([16 * 256, 16 * 256]);
    expect(sharedPages([[full(), full()], times(4, window(32))], 16).blockBytes).toEqual([2 * 16 * 256, 2 * 16 * 256]);
  });

  test("a model of states alone holds one block per sequence", () => {
    const pages = sharedPages([[state(1000), state(1000)]], 16);
    expect(pages.groups).toEqual([{ kind: "state", copies: 1 }]);
    expect(pages.blockBytes).toEqual([2000]);
  });
});
