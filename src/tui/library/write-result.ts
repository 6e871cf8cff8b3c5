import { UsageError } from "../../core/errors.ts";
import type { RunDetails } from "../../forecast/details/run-details.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { exporters } from "../../report/exporters.ts";
import { writeNew } from "./write-new.ts";

const byEnding = { json: "json", csv: "csv", md: "markdown", xml: "junit" } as const;

/** Writes a result to a new file, in the format that the ending of the name says. Throws UsageError for others, OutputError where that cannot be. */
export async function writeResult(path: string, forecast: Forecast): Promise<void> {
  const ending = path.split(".").at(-1) ?? "";
  const format = Object.hasOwn(byEnding, ending) ? byEnding[ending as keyof typeof byEnding] : null;
  if (format === null)
    throw new UsageError(
      `export: expected a name that ends with .yaml, ${Object.keys(byEnding)
        .map((one) => `.${one}`)
        .join(", ")}, found "${path}"`,
    );
  await writeNew(path, exporters[format].render([forecast]));
}

/** Writes what happened in a run to a new file. Throws OutputError where that cannot be. */
export const writeDetails = (
  path: string,
  format: "details" | "requests",
  forecast: Forecast,
  details: RunDetails,
): Promise<void> => writeNew(path, exporters[format].render([forecast], { details: [details] }));
