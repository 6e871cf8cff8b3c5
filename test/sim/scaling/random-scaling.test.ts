import { expect, test } from "vitest";
import { runScaled, runScaledPools } from "./random-scaled.ts";

test("random deployments whose replicas come and go break no law, complete every request and give the same twice", () => {
  expect(runScaled(25, 3)).toBeGreaterThan(12);
});

test("so do pools that hand requests over, each scaled by itself", () => {
  expect(runScaledPools(15, 4)).toBeGreaterThan(5);
});
