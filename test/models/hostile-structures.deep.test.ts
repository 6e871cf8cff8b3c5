import { expect, test } from "vitest";
import { refusedOfHostile } from "./hostile-values.ts";

test("all hostile values under all keys give a model of finite size or name the key, never another error", () => {
  expect(refusedOfHostile(1)).toBeGreaterThan(1000);
});
