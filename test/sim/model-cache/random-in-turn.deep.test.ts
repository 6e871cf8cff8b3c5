import { expect, test } from "vitest";
import { runInTurn } from "./random-in-turn-runs.ts";

test.each([1, 2, 3])("400 deployments of models in turn complete under all laws, twice the same: %d", (seed) => {
  const { ran, loads, preempted } = runInTurn(400, seed);
  expect(ran).toBeGreaterThan(300);
  expect(loads).toBeGreaterThan(1000);
  expect(preempted).toBeGreaterThan(10);
});
