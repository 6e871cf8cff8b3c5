import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KvBlocks } from "../../../src/sim/memory/kv-blocks.ts";
import { drawn } from "../../drawn.ts";
import { fullLayout } from "../build.ts";

const blockTokens = 16;
const prefixTokens = 64;

/** Requests that share prefixes: request i continues conversation `of` up to `blocks` prefix blocks, then its own. */
function prefixOf(requests: readonly { conversation: number; shared: number; own: number }[]) {
  const ids: number[] = [];
  const offsets = [0];
  const known = new Map<string, number>();
  const idOf = (name: string) => {
    const id = known.get(name) ?? known.size;
    known.set(name, id);
    return id;
  };
  for (const [i, { conversation, shared, own }] of requests.entries()) {
    for (let b = 0; b < shared; b++) ids.push(idOf(`c${conversation}.${b}`));
    for (let b = 0; b < own; b++) ids.push(idOf(`r${i}.${b}`));
    offsets.push(ids.length);
  }
  return { blockTokens: prefixTokens, offsets: Uint32Array.from(offsets), ids: Uint32Array.from(ids) };
}

const requests = fc.array(
  fc.record({ conversation: fc.nat(3), shared: fc.integer({ min: 1, max: 6 }), own: fc.nat(3) }),
  { minLength: 1, maxLength: 40 },
);

describe("without prefixes", () => {
  test("a request holds ceil(tokens / block) blocks and gives all of them back", () => {
    const kv = new KvBlocks(fullLayout(10, blockTokens), 2, null);
    expect(kv.grow(0, 0, 17)).toBe(true);
    expect(kv.main.used).toBe(2);
    expect(kv.grow(0, 0, 32)).toBe(true);
    expect(kv.main.used).toBe(2);
    expect(kv.grow(1, 0, 16 * 9)).toBe(false);
    expect(kv.main.used).toBe(2);
    kv.release(0);
    expect(kv.main.used).toBe(0);
    kv.check();
  });
});

describe("with prefixes", () => {
  test("in unlimited space, hits are the leading blocks that some earlier request computed", () => {
    fc.assert(
      fc.property(requests, (rows) => {
        const prefix = prefixOf(rows);
        const kv = new KvBlocks(fullLayout(1e6, blockTokens), rows.length, prefix);
        const seen = new Set<number>();
        for (let i = 0; i < rows.length; i++) {
          const own = [...prefix.ids.subarray(prefix.offsets[i], prefix.offsets[i + 1])];
          let hits = 0;
          while (hits < own.length && seen.has(own[hits] ?? -1)) hits++;
          const prompt = own.length * prefixTokens;
          const cached = kv.cachedTokens(i, prompt);
          expect(cached).toBe(Math.min(hits * prefixTokens, prompt - 1));
          kv.shareCached(i, cached);
          kv.grow(i, 0, prompt);
          kv.publish(i, prompt, prompt);
          kv.release(i);
          for (const id of own) seen.add(id);
          kv.check();
        }
        expect(kv.main.used).toBe(0);
      }),
    );
  });

  test("in tight space with several requests at once, blocks are conserved and all come back", () => {
    fc.assert(
      fc.property(
        requests,
        fc.integer({ min: 40, max: 120 }),
        fc.infiniteStream(fc.nat(99)),
        (rows, capacity, dice) => {
          const prefix = prefixOf(rows);
          const kv = new KvBlocks(fullLayout(capacity, blockTokens), rows.length, prefix);
          const running: number[] = [];
          for (let i = 0; i < rows.length; i++) {
            const prompt = ((prefix.offsets[i + 1] ?? 0) - (prefix.offsets[i] ?? 0)) * prefixTokens;
            const cached = kv.cachedTokens(i, prompt);
            kv.shareCached(i, cached);
            if (kv.grow(i, 0, prompt)) {
              kv.publish(i, Math.floor(prompt / 2), prompt);
              kv.publish(i, prompt, prompt);
              running.push(i);
            } else kv.release(i);
            kv.check();
            while (running.length > 3 || (running.length > 0 && (dice.next().value ?? 0) < 30)) {
              kv.release(running.shift() ?? 0);
              kv.check();
            }
          }
          for (const request of running) kv.release(request);
          kv.check();
          expect(kv.main.used).toBe(0);
          expect(kv.main.allocated).toBe(kv.main.freed + kv.main.cached);
          expect(kv.main.peakUsed).toBeLessThanOrEqual(capacity);
        },
      ),
      { numRuns: drawn(300) },
    );
  });

  test("the least recently released prefix goes first, its end before its start", () => {
    const prefix = prefixOf([
      { conversation: 0, shared: 2, own: 0 },
      { conversation: 1, shared: 2, own: 0 },
      { conversation: 2, shared: 3, own: 0 },
    ]);
    // Room for four prefix blocks of four KV blocks each and a little.
    const kv = new KvBlocks(fullLayout(18, blockTokens), 3, prefix);
    for (const request of [0, 1]) {
      kv.grow(request, 0, 128);
      kv.publish(request, 128, 128);
      kv.release(request);
    }
    // Three blocks of a new conversation push out the second block of conversation 0, then its first, then one more.
    kv.grow(2, 0, 128);
    expect(kv.cachedTokens(0, 128)).toBe(0);
    expect(kv.cachedTokens(1, 128)).toBe(127);
  });
});
