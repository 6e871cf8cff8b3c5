import { expect, test } from "vitest";
import { runScaled, runScaledPools } from "./random-scaled.ts";

test("a thousand random deployments whose replicas come and go", () => {
  expect(runScaled(1000, 11)).toBeGreaterThan(500);
});

test("a thousand random pools that hand requests over, each scaled by itself", () => {
  expect(runScaledPools(1000, 12)).toBeGreaterThan(300);
});
