import { expect, test } from "vitest";
import { forecastsFinitely, layoutsOf } from "./every-system.ts";

test("layouts are one device, a node, and two nodes where a link joins them", () => {
  expect(layoutsOf("gb300-nvl72")).toEqual([1, 4, 8]);
  expect(layoutsOf("dgx-spark")).toEqual([1, 2]);
  expect(layoutsOf("mac-m4-max")).toEqual([1]);
});

test.each([
  ["gb300-nvl72", 8],
  ["dgx-spark", 2],
  ["cloudmatrix-384", 16],
  ["mac-m3-ultra", 1],
])("%s on %i devices gives a finite forecast", (system, devices) => forecastsFinitely(system, devices));
