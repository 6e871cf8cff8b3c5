import { stat } from "node:fs/promises";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readText } from "../../files/read-input.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { readForecasts } from "../../forecast/read-forecast.ts";
import { isPlan, parsePlanJson, planOf } from "../../plan/answer/read-plan.ts";
import type { OpenPlan } from "../state/core.ts";

/** What a JSON file holds that can be shown. */
export type Opened =
  | { readonly kind: "result"; readonly forecast: Forecast }
  | { readonly kind: "plan"; readonly plan: OpenPlan };

/** Reads a saved result or a plan, as the file itself says. Throws InvalidInputError for anything else. */
export async function openDocument(file: string): Promise<Opened> {
  const text = await readText(file, inputBytesMax.plan);
  const json = parsePlanJson(text, file);
  if (!isPlan(json)) return { kind: "result", forecast: readForecasts(text, file).forecasts[0]! };
  const document = planOf(json, file);
  const scenario = await stat(document.scenario.file).catch(() => null);
  return { kind: "plan", plan: { file, document, hasScenario: scenario?.isFile() === true } };
}
