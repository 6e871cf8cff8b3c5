import { expect, test } from "vitest";
import { refusedOfHostile } from "./hostile-values.ts";

test("hostile values under any key give a model of finite size or name the key, never another error", () => {
  // Every fifth case meets every key and, over the keys, every value.
  expect(refusedOfHostile(5)).toBeGreaterThan(200);
});
