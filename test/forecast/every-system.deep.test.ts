import { expect, test } from "vitest";
import { deviceIds, deviceProfileNamed, systemIds, systemProfileNamed } from "../../src/hardware/named-profiles.ts";
import { forecastsFinitely, layoutsOf } from "./every-system.ts";

const cases = systemIds.flatMap((system) => layoutsOf(system).map((devices) => [system, devices] as const));

test("every device stands in a case, but for processors that hosts may name", () => {
  const standing = new Set(cases.map(([system]) => systemProfileNamed(system).device));
  const others = deviceIds.filter((id) => !standing.has(id));
  expect(others.filter((id) => deviceProfileNamed(id).kind !== "cpu")).toEqual([]);
});

test.each(cases)("%s on %i devices gives a finite forecast", (system, devices) => forecastsFinitely(system, devices));
