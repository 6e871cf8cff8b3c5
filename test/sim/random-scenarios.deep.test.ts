import { expect, test } from "vitest";
import { runRandom } from "./random-runs.ts";

test.each([1, 2, 3, 4])("500 deployments of every kind complete under all laws, twice the same: %d", (seed) => {
  const { ran, handedOver } = runRandom(500, seed);
  expect(ran).toBeGreaterThan(300);
  expect(handedOver).toBeGreaterThan(500);
});
