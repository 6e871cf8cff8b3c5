import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prefixLoadFactor } from "../../src/policy/router/prefix-aware.ts";
import type { RouterView } from "../../src/policy/router/router.ts";
import { routers } from "../../src/policy/router/routers.ts";

const viewOf = (outstanding: readonly number[], cached: readonly number[] = []): RouterView => ({
  targets: outstanding.length,
  waiting: () => 0,
  running: () => 0,
  outstandingTokens: (target) => outstanding[target] ?? 0,
  cachedPromptTokens: (target) => cached[target] ?? 0,
});

describe.each(Object.values(routers))("$name", (policy) => {
  test("always chooses one of the targets", () => {
    const target = fc.tuple(fc.nat(5000), fc.nat(5000));
    fc.assert(
      fc.property(fc.array(fc.array(target, { minLength: 3, maxLength: 3 }), { maxLength: 20 }), (states) => {
        const router = policy.create(3);
        states.forEach((state, request) => {
          const view = viewOf(
            state.map(([load]) => load),
            state.map(([, cached]) => cached),
          );
          expect([0, 1, 2]).toContain(router.choose(request, view));
        });
      }),
    );
  });
});

test("round-robin gives every target the same share, and each router its own turn", () => {
  const router = routers["round-robin"].create(3);
  const other = routers["round-robin"].create(3);
  const view = viewOf([9, 0, 0]);
  expect([0, 1, 2, 3, 4].map((request) => router.choose(request, view))).toEqual([0, 1, 2, 0, 1]);
  expect(other.choose(0, view)).toBe(0);
});

test("least-loaded takes the fewest outstanding tokens, ties to the lowest index", () => {
  const router = routers["least-loaded"].create(4);
  expect(router.choose(0, viewOf([5, 3, 9, 3]))).toBe(1);
  expect(router.choose(0, viewOf([0, 0, 0, 0]))).toBe(0);
});

test("prefix-aware takes the most cached prompt tokens, ties to the least loaded, then the lowest index", () => {
  const router = routers["prefix-aware"].create(3);
  expect(router.choose(0, viewOf([100, 100, 100], [0, 64, 32]))).toBe(1);
  expect(router.choose(0, viewOf([120, 100, 110], [64, 64, 64]))).toBe(1);
  expect(router.choose(0, viewOf([100, 120, 110], [0, 64, 64]))).toBe(2);
  expect(router.choose(0, viewOf([100, 90, 90], [0, 0, 0]))).toBe(1);
});

test("prefix-aware prefers a busy target with the prefix to an idle one while the hit outweighs the queue", () => {
  const router = routers["prefix-aware"].create(2);
  expect(router.choose(0, viewOf([0, 500], [0, 512]))).toBe(1);
  expect(router.choose(0, viewOf([0, 600], [0, 512]))).toBe(0);
});

test("prefix-aware gives up the prefix beyond the load factor", () => {
  const router = routers["prefix-aware"].create(2);
  const atLimit = 1000 * prefixLoadFactor + 64;
  expect(router.choose(0, viewOf([1000, atLimit], [0, 64]))).toBe(1);
  expect(router.choose(0, viewOf([1000, atLimit + 1], [0, 64]))).toBe(0);
});

test("every policy is listed under its own name", () => {
  for (const [name, policy] of Object.entries(routers)) expect(policy.name).toBe(name);
});
