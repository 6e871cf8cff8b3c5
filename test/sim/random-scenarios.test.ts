import { expect, test } from "vitest";
import { EventQueue } from "../../src/core/event-queue.ts";
import { watched } from "./random-laws.ts";
import { runRandom } from "./random-runs.ts";

test("deployments of every kind complete with finite figures that agree with each other, twice the same", () => {
  const { ran, handedOver } = runRandom(20, 5);
  expect(ran).toBeGreaterThan(15);
  expect(handedOver).toBeGreaterThan(15);
});

test("a run without an end is noticed", () => {
  const queue = new EventQueue(2);
  expect(() =>
    watched(() => {
      do queue.push(0, 0, 0, 0);
      while (queue.pop());
    }),
  ).toThrow("a run of more than");
  // The event that it did not come to is left, and is nobody's fault.
  expect(queue.pop()).toBe(true);
});
