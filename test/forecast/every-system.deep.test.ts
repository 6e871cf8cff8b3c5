import { expect, test } from "vitest";
import { deviceIds, systemIds, systemProfileNamed } from "../../src/hardware/named-profiles.ts";
import { forecastsFinitely, layoutsOf } from "./every-system.ts";

const cases = systemIds.flatMap((system) => layoutsOf(system).map((devices) => [system, devices] as const));

test("every device stands in a case", () => {
  expect(new Set(cases.map(([system]) => systemProfileNamed(system).device))).toEqual(new Set(deviceIds));
});

test.each(cases)("%s on %i devices gives a finite forecast", (system, devices) => forecastsFinitely(system, devices));
