import { refuse } from "../core/errors.ts";
import { oneLine } from "../core/printable.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { readForecasts } from "../forecast/read-forecast.ts";

import type { Io } from "./io.ts";

/** The earlier forecast of a scenario. Throws InvalidInputError where the file has none. */
export type BaselineLookup = (scenario: string) => Forecast;

/**
 * Reads the JSON export of an earlier run. Its forecasts are found by the name of their scenario; a file with one
 * forecast is compared with the one scenario of a run even if it is named otherwise, which stderr says.
 */
export async function readBaseline(io: Io, file: string, scenarios: number): Promise<BaselineLookup> {
  const { forecasts, isList } = readForecasts(await io.readText(file), file);
  const byName = new Map<string, Forecast>();
  for (const [index, forecast] of forecasts.entries()) {
    const at = (path: string) => (isList ? `[${index}].${path}` : path);
    const { name } = forecast.scenario;
    if (forecast.interrupted)
      refuse({ file, at: at("interrupted"), expected: "the forecast of a whole run", found: true });
    if (byName.has(name))
      refuse({ file, at: at("scenario.name"), expected: "another name than the forecasts before it", found: name });
    byName.set(name, forecast);
  }
  const [only] = forecasts;
  return (scenario) => {
    const found = byName.get(scenario);
    if (found !== undefined) return found;
    if (only !== undefined && !isList && scenarios === 1) {
      io.err(
        `warning: the baseline is a forecast of "${oneLine(only.scenario.name)}", this one is of "${oneLine(scenario)}"\n`,
      );
      return only;
    }
    return refuse({
      file,
      expected: `a forecast of "${oneLine(scenario)}"`,
      found: [...byName.keys()],
      hint: "export all scenarios of the run anew with --export json=FILE",
    });
  };
}
