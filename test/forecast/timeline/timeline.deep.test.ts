import { expect, test } from "vitest";
import { judgeRandom } from "./timeline-laws.ts";

test("following any of many deployments changes nothing of it; tracks nest, and add up to its accounts", () => {
  expect(judgeRandom(150, 17)).toBeGreaterThan(110);
}, 900_000);
