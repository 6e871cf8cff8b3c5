import { refuse } from "../../core/errors.ts";
import type { Forecast } from "../forecast.ts";
import type { UnmatchedScenario } from "./comparison.ts";

/** The forecasts of a file, as it holds them. */
export interface ResultFile {
  readonly file: string;
  readonly forecasts: readonly Forecast[];
}

/** A forecast, and the place of its file. */
export interface PlacedForecast {
  readonly file: number;
  readonly forecast: Forecast;
}

/** Forecasts of one scenario, that of the base first. */
export interface MatchedScenarios {
  readonly matched: readonly (readonly [base: PlacedForecast, ...others: PlacedForecast[]])[];
  readonly unmatched: readonly UnmatchedScenario[];
}

/**
 * Forecasts of several files by the name of their scenario, in the order of the base. Files of a single forecast each belong
 * together whatever the names, so that variants can be compared.
 */
export function matchScenarios(files: readonly ResultFile[]): MatchedScenarios {
  if (files.length < 2) refuse({ expected: "two results or more", found: files.length });
  const lists = files.map(byName);
  const singles = files.flatMap(({ forecasts }, file) =>
    forecasts.length === 1 ? [{ file, forecast: forecasts[0]! }] : [],
  );
  const [first, ...others] = singles;
  if (first !== undefined && singles.length === files.length) return { matched: [[first, ...others]], unmatched: [] };
  const names = [...new Set(lists.flatMap((list) => [...list.keys()]))];
  const of = (name: string) =>
    lists.flatMap((list, file) => (list.has(name) ? [{ file, forecast: list.get(name)! }] : []));
  const matched = names.flatMap((name) => {
    const [base, ...rest] = of(name);
    return base !== undefined && base.file === 0 && rest.length > 0 ? [[base, ...rest] as const] : [];
  });
  if (matched.length === 0)
    refuse({
      file: files[1]!.file,
      expected: `a forecast of a scenario of ${files[0]!.file}: ${[...lists[0]!.keys()].join(", ")}`,
      found: names.filter((name) => !lists[0]!.has(name)),
    });
  const unmatched = names.flatMap((scenario) => {
    const presentIn = of(scenario).map(({ file }) => file);
    const missingIn = files.flatMap((_, file) => (presentIn.includes(file) ? [] : [file]));
    return missingIn.length === 0 ? [] : [{ scenario, presentIn, missingIn }];
  });
  return { matched, unmatched };
}

function byName({ file, forecasts }: ResultFile): ReadonlyMap<string, Forecast> {
  if (forecasts.length === 0) refuse({ file, expected: "one forecast or more", found: "an empty list" });
  const found = new Map<string, Forecast>();
  for (const [index, forecast] of forecasts.entries()) {
    const { name } = forecast.scenario;
    if (found.has(name))
      refuse({
        file,
        at: `[${index}].scenario.name`,
        expected: "another name than the forecasts before it",
        found: name,
      });
    found.set(name, forecast);
  }
  return found;
}
