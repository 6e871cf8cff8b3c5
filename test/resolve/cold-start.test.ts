import { describe, expect, test } from "vitest";
import { warmupRequests } from "../../src/resolve/cold-start.ts";

describe("requests that statistics leave out", () => {
  const left = (warmup: { share: number } | { requests: number } | undefined, requests: number) =>
    warmupRequests({ warmup, coldStart: undefined }, requests);

  test("of a share are the whole ones in it, so that a request that is not wholly in it counts", () => {
    expect([0, 1, 9, 10, 19, 20, 199].map((requests) => left({ share: 0.1 }, requests))).toEqual([
      0, 0, 0, 1, 1, 2, 19,
    ]);
    expect(left({ share: 1 }, 7)).toBe(7);
  });

  test("of a number are so many, at most all", () => {
    expect([3, 30, 300].map((requests) => left({ requests: 30 }, requests))).toEqual([3, 30, 30]);
  });

  test("are a twentieth unless told otherwise, none of a cold start", () => {
    expect(left(undefined, 199)).toBe(9);
    const coldStart = { readyAfter: 0 };
    expect(warmupRequests({ warmup: undefined, coldStart }, 199)).toBe(0);
    expect(warmupRequests({ warmup: { share: 0.5 }, coldStart }, 199)).toBe(99);
  });
});
