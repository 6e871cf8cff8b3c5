import { expect, test } from "vitest";
import { runScaled } from "./random-scaled.ts";

test("random deployments whose replicas come and go break no law, complete every request and give the same twice", () => {
  expect(runScaled(8, 3)).toBeGreaterThan(2);
});
