import { expect, test } from "vitest";
import { runRandom } from "./random-runs.ts";

test("deployments of every kind complete with finite figures that agree with each other, twice the same", () => {
  const { ran, handedOver } = runRandom(60, 5);
  expect(ran).toBeGreaterThan(30);
  expect(handedOver).toBeGreaterThan(30);
});
