import { expect, test } from "vitest";
import { runInTurn } from "./random-in-turn-runs.ts";

test("models of every kind in turn complete under all laws, twice the same", () => {
  const { ran, loads } = runInTurn(6, 8);
  expect(ran).toBeGreaterThan(4);
  expect(loads).toBeGreaterThan(5);
});
