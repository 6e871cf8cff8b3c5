import { expect, test } from "vitest";
import type { SloVerdict } from "../../../src/forecast/forecast.ts";
import { sloStand } from "../../../src/tui/view/slo-stand.ts";

const slo = (some: Partial<SloVerdict>): SloVerdict => ({
  metric: "ttft",
  expression: "p(99)<1s",
  level: "error",
  passed: false,
  value: 900,
  valueText: "900 ms",
  interval: null,
  margin: 0.1,
  samples: 50,
  reason: null,
  ...some,
});

test("on a part of a run a limit that is met by too few samples is open, and nothing to judge waits", () => {
  expect(sloStand(slo({ passed: true }), false)).toBe("ok");
  expect(sloStand(slo({}), false)).toBe("open");
  expect(sloStand(slo({ value: null, margin: null }), false)).toBe("wait");
  expect(sloStand(slo({ margin: -0.1 }), false)).toBe("FAIL");
  expect(sloStand(slo({ margin: -0.1, level: "warn" }), false)).toBe("warn");
});

test("of a whole run it is the verdict of the result", () => {
  expect(sloStand(slo({}), true)).toBe("FAIL");
  expect(sloStand(slo({ value: null, margin: null }), true)).toBe("FAIL");
  expect(sloStand(slo({ passed: true }), true)).toBe("ok");
});
