import { localFiles } from "../files/local-files.ts";
import type { Forecast } from "../forecast/forecast.ts";

/**
 * Reads a result.json, of one scenario or of several, also of earlier releases.
 * @throws InvalidInputError for anything else
 * @stable
 */
export async function readResults(path: string): Promise<Forecast[]> {
  const { readForecasts } = await import("../forecast/read-forecast.ts");
  return [...readForecasts(await localFiles.readText(path), path).forecasts];
}

/**
 * Writes forecasts as `moecast run --export json` does: whole, or not at all.
 * @throws OutputError where the file cannot be written
 * @stable
 */
export async function writeResults(path: string, forecasts: readonly Forecast[]): Promise<void> {
  const { jsonExport } = await import("../report/json.ts");
  const { writeOutput } = await import("../files/write-output.ts");
  await writeOutput(path, (output) => output.append(jsonExport.render(forecasts)));
}
