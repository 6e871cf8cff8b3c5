import fc from "fast-check";
import { expect, test } from "vitest";
import { MeanCourse } from "../../../src/sim/outcome/mean-course.ts";
import { drawn } from "../../drawn.ts";

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

test("nothing that is added is lost, in whatever order and however late it comes", () => {
  const event = fc.record({
    atNs: fc.oneof(fc.nat(1e6), fc.nat(1e9), fc.double({ min: 0, max: 1e15, noNaN: true })),
    weight: fc.nat(100),
    amount: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const course = new MeanCourse();
      for (const { atNs, weight, amount } of events) course.add(atNs, weight, amount);
      const { intervalNs, weights, amounts } = course.result();
      expect(weights.length).toBe(amounts.length);
      expect(weights.length).toBeLessThanOrEqual(256);
      expect(Math.log2(intervalNs / 1e6) % 1).toBe(0);
      const expected = [new Float64Array(weights.length), new Float64Array(weights.length)];
      for (const { atNs, weight, amount } of events) {
        expected[0]![Math.floor(atNs / intervalNs)]! += weight;
        expected[1]![Math.floor(atNs / intervalNs)]! += amount;
      }
      expect(weights).toEqual(expected[0]);
      expect(amounts).toEqual(expected[1]);
      expect(sum(weights)).toBe(events.reduce((total, { weight }) => total + weight, 0));
    }),
    { numRuns: drawn(100) },
  );
});

test("an interval is as short as the run allows", () => {
  const course = new MeanCourse();
  course.add(255_999_999, 1, 1);
  expect(course.result()).toMatchObject({ intervalNs: 1e6 });
  expect(course.result().weights.length).toBe(256);
  course.add(256_000_000, 1, 1);
  expect(course.result()).toMatchObject({ intervalNs: 2e6 });
  expect(course.result().weights.length).toBe(129);
});
