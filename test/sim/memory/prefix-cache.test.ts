import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SimConfig } from "../../../src/sim/config.ts";
import { KvBlocks } from "../../../src/sim/memory/kv-blocks.ts";
import { prefixUnits } from "../../../src/sim/memory/prefix-units.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import type { RequestTable } from "../../../src/trace/request-table.ts";
import { drawn } from "../../drawn.ts";
import { fullLayout, testConfig, testNode, testRequests, testRouting, tinyModel } from "../build.ts";

const prefix = (blockTokens: number, ...requests: number[][]): NonNullable<RequestTable["prefix"]> => {
  const offsets = [0];
  for (const ids of requests) offsets.push((offsets.at(-1) ?? 0) + ids.length);
  return { blockTokens, offsets: Uint32Array.from(offsets), ids: Uint32Array.from(requests.flat()) };
};

describe("blocks of a prompt that ends inside a prefix block", () => {
  test("a request holds ceil(tokens / block) blocks at every length, shared or not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 300 }), (prompt, output) => {
        const blocks = Math.ceil(prompt / 64);
        const kv = new KvBlocks(
          fullLayout(1000, 16),
          1,
          prefix(
            64,
            Array.from({ length: blocks }, (_, i) => i),
          ),
        );
        kv.grow(0, 0, prompt);
        kv.publish(0, prompt, prompt);
        for (let tokens = prompt; tokens <= prompt + output; tokens++) {
          kv.grow(0, 0, tokens);
          expect(kv.main.used).toBe(Math.ceil(tokens / 16));
        }
        kv.check();
      }),
      { numRuns: drawn(50) },
    );
  });

  test("a second request with the same prompt adds only what it generates beyond the shared blocks", () => {
    const kv = new KvBlocks(fullLayout(100, 16), 2, prefix(64, [0, 1], [0, 1]));
    kv.grow(0, 0, 100);
    kv.publish(0, 100, 100);
    const cached = kv.cachedTokens(1, 100);
    expect(cached).toBe(99);
    kv.shareCached(1, cached);
    kv.grow(1, 0, 100);
    expect(kv.main.used).toBe(7);
    // Seven blocks have room for 112 tokens.
    kv.grow(1, 0, 112);
    expect(kv.main.used).toBe(7);
    kv.grow(1, 0, 113);
    expect(kv.main.used).toBe(8);
    expect(kv.main.peakUsed).toBe(8);
  });
});

test("a block is shared once all of its tokens are computed, the last one when the prompt is", () => {
  const kv = new KvBlocks(fullLayout(100, 16), 2, prefix(64, [0, 1], [0, 1]));
  const found = (computed: number) => {
    kv.grow(0, 0, computed);
    kv.publish(0, computed, 100);
    return kv.cachedTokens(1, 200);
  };
  expect([63, 64, 99, 100].map(found)).toEqual([0, 64, 64, 128]);
});

test("of a block computed twice at once one copy stays, for as long as either request runs", () => {
  const kv = new KvBlocks(fullLayout(100, 16), 2, prefix(64, [0], [0]));
  for (const request of [0, 1]) kv.grow(request, 0, 70);
  expect(kv.main.used).toBe(10);
  for (const request of [0, 1]) kv.publish(request, 70, 70);
  // Four shared blocks and one each of their own.
  expect(kv.main.used).toBe(6);
  kv.release(1);
  expect([kv.main.used, kv.main.cached]).toEqual([5, 0]);
  kv.release(0);
  expect([kv.main.used, kv.main.cached]).toEqual([0, 4]);
  kv.check();
});

test("eviction takes the end of a released prefix and leaves its start", () => {
  const kv = new KvBlocks(fullLayout(10, 16), 2, prefix(64, [0, 1], []));
  kv.grow(0, 0, 128);
  kv.publish(0, 128, 128);
  kv.release(0);
  kv.grow(1, 0, 64);
  expect(kv.cachedTokens(0, 200)).toBe(64);
});

test("a failed admission leaves no trace in the peak", () => {
  const kv = new KvBlocks(fullLayout(10, 16), 3, prefix(64, [0, 1], [5], [0, 1, 2, 3]));
  kv.grow(0, 0, 128);
  kv.publish(0, 128, 128);
  kv.release(0);
  kv.grow(1, 0, 16);
  expect(kv.main.peakUsed).toBe(8);
  kv.shareCached(2, 128);
  expect(kv.grow(2, 0, 256)).toBe(false);
  kv.release(2);
  expect(kv.main.peakUsed).toBe(8);
  expect(kv.main.used).toBe(1);
});

describe("prefix blocks that do not fill whole KV blocks", () => {
  test("are joined to units of the least common multiple, equal where all their blocks are", () => {
    const units = prefixUnits(prefix(24, [1, 2, 3, 4, 5], [1, 2, 3, 9], [2, 1, 3, 4]), 16);
    expect(units.blockTokens).toBe(48);
    expect([...units.offsets]).toEqual([0, 3, 5, 7]);
    const [a, b, c] = [0, 1, 2].map((i) => [...units.ids.subarray(units.offsets[i], units.offsets[i + 1])]);
    expect(b![0]).toBe(a![0]);
    expect(c![1]).toBe(a![1]);
    expect(new Set([...a!, ...b!, ...c!]).size).toBe(5);
  });

  test("stay as they are where they do", () => {
    const ids = prefix(64, [1, 2]);
    expect(prefixUnits(ids, 16)).toBe(ids);
    expect(prefixUnits(ids, 64)).toBe(ids);
  });

  test("cost a request no more blocks than its tokens", () => {
    const requests = testRequests(
      [{ prompt: 240, output: 20 }],
      prefix(
        16,
        Array.from({ length: 15 }, (_, i) => i),
      ),
    );
    const base = testConfig();
    const simulation = new Simulation({
      ...base,
      scheduler: { ...base.scheduler, prefixCaching: true, blockTokens: 32 },
      workload: { kind: "open", requests },
    });
    simulation.advance(100);
    expect(simulation.result().kv.peakBlocks).toBe(Math.ceil(259 / 32));
  });
});

/** One layer, prefix caching, exactly `blocks` KV blocks. */
function limited(blocks: number, requests: RequestTable, maxBatchTokens = 512): SimConfig {
  const base = testConfig();
  const config: SimConfig = {
    ...base,
    model: tinyModel({}, 1),
    routing: { kind: "replay", table: testRouting(1), layerMap: [0], start: "zero" },
    scheduler: { ...base.scheduler, prefixCaching: true, memoryUtilisation: 1, maxBatchTokens },
    workload: { kind: "open", requests },
  };
  const { map } = new Simulation(config).pools[0]!.memory;
  const kv = map.tiers[0]!.items.find((item) => item.name.startsWith("KV"))!.bytes;
  const memoryBytes = map.tiers[0]!.usedBytes - kv + (kv / map.kvBlocks) * blocks;
  return { ...config, node: testNode({ memoryBytes }) };
}
const finish = (config: SimConfig) => {
  const simulation = new Simulation(config);
  while (!simulation.advance(1000));
  return simulation.result();
};

test("a preempted request finds its own prompt again, which is no hit, and computes what it had generated", () => {
  // Two requests of 64 + 60 tokens in 12 blocks: at 97 tokens each the younger one gives way.
  const requests = testRequests(
    [
      { prompt: 64, output: 60 },
      { prompt: 64, output: 60 },
    ],
    prefix(64, [0], [1]),
  );
  const result = finish(limited(12, requests));
  expect(result.kv.preemptions).toBe(1);
  expect([...result.requests.preemptions]).toEqual([0, 1]);
  expect([...result.requests.cachedTokens]).toEqual([0, 0]);
  expect(result.kv.prefixHitTokens).toBe(0);
  expect(result.kv.prefixLookupTokens).toBe(128);
});

test("of a preempted request's own blocks only the prompt is there: what it generated is computed again", () => {
  // The second prefix block of 64 holds the last 36 tokens of the prompt; 28 of the generated ones would fill it.
  const requests = testRequests(
    [
      { prompt: 100, output: 90 },
      { prompt: 100, output: 90 },
    ],
    prefix(64, [0, 1], [2, 3]),
  );
  const simulation = new Simulation(limited(20, requests));
  while (simulation.state.preemptions[1] === 0 || simulation.state.inStep[1] === 0)
    expect(simulation.advance(1)).toBe(false);
  expect(simulation.state.generated[1]!).toBeGreaterThan(28);
  expect(simulation.state.computed[1]).toBe(100);
});

test("a recomputed request counts its prompt tokens once more, its generated ones never", () => {
  const requests = testRequests([
    { prompt: 64, output: 60 },
    { prompt: 64, output: 60 },
  ]);
  const result = finish(limited(12, requests));
  expect(result.kv.preemptions).toBe(1);
  expect(result.promptTokensComputed).toBe(3 * 64);
});

test("a request that needs every block is served, one that needs one more is not", () => {
  // The last token is emitted but never stored.
  const requests = testRequests([
    { prompt: 100, output: 61 },
    { at: 1e9, prompt: 100, output: 62 },
  ]);
  expect([...finish(limited(10, requests)).requests.status]).toEqual([0, 1]);
});

test("newcomers do not take the blocks a prompt in progress waits for", () => {
  // Request 0 decodes in 6 blocks; request 1 needs 10, has 5 after its first chunk and waits; request 2 would fit at once.
  const requests = testRequests([
    { at: 0, prompt: 80, output: 10 },
    { at: 1000, prompt: 150, output: 2 },
    { at: 1000, prompt: 16, output: 2 },
  ]);
  const { requests: rows } = finish(limited(12, requests, 81));
  expect(rows.scheduledNs[2]!).toBeGreaterThanOrEqual(rows.lastTokenNs[0]!);
  expect(rows.firstTokenNs[1]!).toBeGreaterThan(rows.lastTokenNs[0]!);
});
