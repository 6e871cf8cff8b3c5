import { expect, test } from "vitest";
import { canonicalJson } from "../../src/core/json.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { readForecast, readForecasts } from "../../src/forecast/read-forecast.ts";
import { forecast } from "../report/build.ts";

const baselineRun = { scenario: "small", moecastVersion: "9.9.8", seed: 1, otherDraws: ["seed"] } as const;
const current = forecast({ baselineRun });

/** The document as version 2 had it. */
function versionTwo({ moecastVersion: engineVersion, ...document }: Forecast): Record<string, unknown> {
  const { moecastVersion, ...run } = baselineRun;
  return {
    ...document,
    schemaVersion: 2,
    engineVersion,
    baselineRun: { ...run, engineVersion: moecastVersion },
    slos: document.slos.map(({ value: observed, valueText: observedText, ...slo }) => ({
      ...slo,
      observed,
      observedText,
    })),
  };
}

test("a result of version 2 reads as the same result of the current version", () => {
  const earlier = versionTwo(current);
  expect(canonicalJson(readForecast(JSON.stringify(earlier), "result.json"))).toBe(canonicalJson(current));
  expect(readForecasts(JSON.stringify([earlier, current]), "result.json").forecasts).toEqual([current, current]);
});

test("one without a baseline too", () => {
  const alone = { ...versionTwo(current), baselineRun: null };
  expect(readForecast(JSON.stringify(alone), "result.json").baselineRun).toBeNull();
});

test("the keys of version 2 are not read in the current version", () => {
  const mixed = { ...versionTwo(current), schemaVersion: 3 };
  expect(() => readForecast(JSON.stringify(mixed), "result.json")).toThrow(
    "result.json: moecastVersion: expected a text, found nothing",
  );
});
