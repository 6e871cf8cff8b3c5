import { expect, test } from "vitest";
import { runScaled } from "./random-scaled.ts";

test("a thousand random deployments whose replicas come and go", () => {
  expect(runScaled(1000, 11)).toBeGreaterThan(400);
}, 600_000);
