import { expect, test } from "vitest";
import { judgeRandom } from "./timeline-laws.ts";

test("following any deployment changes nothing of it; its tracks nest, and add up to its accounts", () => {
  expect(judgeRandom(4, 3)).toBeGreaterThan(2);
});
