import { expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { sectioningHalfWidth } from "../../src/core/sectioning.ts";
import { meanInterval } from "../../src/core/statistics.ts";

test("around the mean of its sections it is Student's interval, and a biased whole widens it", () => {
  const sections = [3, 5, 4, 7, 1];
  const { mean, halfWidth } = meanInterval(sections);
  expect(sectioningHalfWidth(mean, sections, 0.95)).toBeCloseTo(halfWidth, 12);
  expect(sectioningHalfWidth(mean + 1, sections, 0.95)).toBeGreaterThan(halfWidth);
});

test("sections that agree have no width, and one section says nothing", () => {
  expect(sectioningHalfWidth(2, [2, 2, 2], 0.99)).toBe(0);
  expect(sectioningHalfWidth(2, [2], 0.99)).toBe(Number.POSITIVE_INFINITY);
});

test("covers the true mean of independent values as often as it says", () => {
  const rng = new RandomStream(1, "sectioning");
  let covered = 0;
  for (let i = 0; i < 2000; i++) {
    const sections = Array.from({ length: 10 }, () => rng.uniform());
    const whole = sections.reduce((sum, value) => sum + value, 0) / 10;
    if (Math.abs(whole - 0.5) <= sectioningHalfWidth(whole, sections, 0.95)) covered += 1;
  }
  expect(covered / 2000).toBeGreaterThan(0.935);
  expect(covered / 2000).toBeLessThan(0.965);
});
