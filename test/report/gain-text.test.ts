import { expect, test } from "vitest";
import { gainText, riseText } from "../../src/report/gain-text.ts";

test("a saving is a fall of what is less the better, a rise of what is more the better", () => {
  expect(gainText({ share: 0.125, halfWidth: 0.003 })).toBe("-12.5% +-0.3%");
  expect(riseText({ share: 0.125, halfWidth: 0.003 })).toBe("+12.5% +-0.3%");
  expect(gainText({ share: -0.02, halfWidth: null })).toBe("+2.0%");
});

test("next to nothing has no sign, and what runs do not have no change", () => {
  for (const share of [0.0004, -0.0004, 0, -0]) expect(gainText({ share, halfWidth: 0.0001 })).toBe("0.0% +-0.0%");
  expect(gainText({ share: Number.NaN, halfWidth: null })).toBe("n/a");
  expect(riseText({ share: Number.NaN, halfWidth: 0.1 })).toBe("n/a");
});
