import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { OutputError } from "../../core/errors.ts";
import { makeFolder } from "../../files/folders.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readText } from "../../files/read-input.ts";
import { causeOf, isSystemError } from "../../files/system-error.ts";
import { writeOutput } from "../../files/write-output.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { overridesOf } from "../../forecast/overrides.ts";
import { readForecasts } from "../../forecast/read-forecast.ts";
import { headline } from "../../report/headline.ts";
import { jsonExport } from "../../report/json.ts";
import type { ResultEntry } from "./library.ts";

/** Saved results that are listed, the newest first. */
const listedMax = 50;

/** A larger file is left out of the list: a result takes less than a fourth of this, and keys wait while a file is parsed. */
const listedBytesMax = 4 * 1024 * 1024;

/** `2026-11-30 16:40` in local time. */
const minuteOf = (ms: number): string => {
  const at = new Date(ms);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
};

/** The results of a folder; what is none, and what is too large for one, is left out. */
export async function savedResults(folder: string): Promise<ResultEntry[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json"));
  const found = await Promise.all(
    names.map(async (name) => {
      const facts = await stat(join(folder, name)).catch(() => null);
      // A pipe would keep all others waiting.
      if (facts?.isFile() !== true || facts.size > listedBytesMax) return [];
      return [{ file: join(folder, name), ms: facts.mtimeMs }];
    }),
  );
  const files = found.flat().sort((a, b) => b.ms - a.ms || (a.file < b.file ? -1 : 1));
  const entries: ResultEntry[] = [];
  for (const { file, ms } of files.slice(0, listedMax)) {
    const forecast = await readResult(file, listedBytesMax).catch(() => null);
    if (forecast !== null)
      entries.push({
        file,
        name: forecast.scenario.name,
        passed: forecast.passed,
        interrupted: forecast.interrupted,
        saved: minuteOf(ms),
        settings: overridesOf(forecast),
        scenario: forecast.scenario.file,
        headline: headline(forecast),
      });
    // Keys are served between files.
    await setImmediate();
  }
  return entries;
}

/** A saved result. Throws InvalidInputError for what is none. */
export async function readResult(file: string, bytesMax: number = inputBytesMax.text): Promise<Forecast> {
  const { forecasts } = readForecasts(await readText(file, bytesMax), file);
  return forecasts[0]!;
}

/** Keeps a result, in the format of `run --export json`. Returns its file. Throws OutputError where that cannot be. */
export async function saveResult(folder: string, forecast: Forecast, nowMs: number): Promise<string> {
  await makeFolder(folder).catch((error: unknown) => {
    throw isSystemError(error) ? new OutputError(folder, causeOf(error)) : error;
  });
  const time = new Date(nowMs).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const name = forecast.scenario.name.replace(/[^\w.-]+/g, "-").slice(0, 80);
  const file = join(folder, `${time}-${String(nowMs % 1000).padStart(3, "0")}-${name}.json`);
  await writeOutput(file, (output) => output.append(jsonExport.render([forecast])));
  return file;
}
