import { expect, test } from "vitest";
import { remask } from "../../src/policy/cache/remask.ts";

const keys = Uint32Array.of(0, 1, 2, 3, 4, 5);
const held = (cache: ReturnType<typeof remask.create>) => [...keys].filter((key) => cache.contains(key));

/** Six experts, two slots, two choices a token; chosen anew from ten tokens on. */
function create() {
  const popularity = Float64Array.of(9, 8, 1, 1, 1, 1);
  return remask.create({ objects: 6, capacity: 2, topK: 2, popularity, future: null }, { tokensFrom: 10 });
}

test("a long prompt leaves the experts that it used most, and decodes change nothing", () => {
  const cache = create();
  const hit = new Uint8Array(6);
  expect(held(cache)).toEqual([0, 1]);
  cache.call(keys, 2, 4, hit, Float64Array.of(1, 1));
  expect(held(cache)).toEqual([0, 1]);
  // 19 choices are less than ten tokens have.
  cache.call(keys, 0, 6, hit, Float64Array.of(0, 0, 9, 8, 1, 1));
  expect(held(cache)).toEqual([0, 1]);
  expect(cache.call(keys, 0, 6, hit, Float64Array.of(1, 1, 9, 8, 1, 1))).toBe(2);
  expect(held(cache)).toEqual([2, 3]);
  expect([...hit]).toEqual([1, 1, 0, 0, 0, 0]);
});

test("chunks of one prompt count together, those of the next one anew", () => {
  const cache = create();
  const hit = new Uint8Array(6);
  cache.call(keys, 0, 6, hit, Float64Array.of(1, 1, 10, 1, 1, 6));
  expect(held(cache)).toEqual([2, 5]);
  cache.call(keys, 0, 6, hit, Float64Array.of(1, 1, 1, 9, 8, 0));
  // 2: 11, 3: 10, 4: 9, 5: 6.
  expect(held(cache)).toEqual([2, 3]);
  cache.call(keys, 0, 1, hit, Float64Array.of(1));
  cache.call(keys, 0, 6, hit, Float64Array.of(1, 1, 1, 1, 9, 8));
  expect(held(cache)).toEqual([4, 5]);
});

test("without the tokens of calls it is a fixed set", () => {
  const cache = create();
  for (let call = 0; call < 5; call++) cache.call(keys, 0, 6, new Uint8Array(6));
  expect(held(cache)).toEqual([0, 1]);
});
