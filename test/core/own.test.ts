import { expect, test } from "vitest";
import { own } from "../../src/core/own.ts";

test("only a table's own entries are found under a name from outside", () => {
  expect(own({ a: 1 }, "a")).toBe(1);
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "b"])
    expect(own<unknown>({ a: 1 }, name)).toBeUndefined();
});
