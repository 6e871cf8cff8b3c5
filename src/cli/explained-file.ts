import { basename, dirname, join } from "node:path";
import { sha256 } from "../core/digest.ts";
import { InvalidInputError, refuse } from "../core/errors.ts";
import { withoutPage } from "../forecast/embedded-results.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { overridesOf } from "../forecast/overrides.ts";
import { readForecasts } from "../forecast/read-forecast.ts";
import { parseScenario, type Scenario } from "../scenario/parse-scenario.ts";
import type { Io } from "./io.ts";
import { policiesWith } from "./plugins.ts";
import { paramsFor } from "./scenario-params.ts";
import { splitPair } from "./words.ts";

/** What a scenario is found and read by. */
export interface ExplainedInput {
  /** The scenario of a result, where it is not where the result says. */
  readonly scenario?: string;
  readonly settings: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  readonly plugins: readonly string[];
  readonly acceptDifferences: boolean;
}

/** A scenario that is explained, and the result that it was made into; null where the scenario itself is given. */
export interface ExplainedFile {
  readonly scenario: Scenario;
  readonly file: string;
  /** All that is laid over the scenario: of the result first. */
  readonly settings: readonly string[];
  readonly result: Forecast | null;
}

/**
 * Reads a result or a scenario. The scenario of a result is read only where its bytes are those that the result was made from, or
 * differences are accepted; InvalidInputError otherwise.
 */
export async function explainedFile(io: Io, file: string, input: ExplainedInput): Promise<ExplainedFile> {
  const text = withoutPage(await io.readText(file));
  const policies = await policiesWith(input.plugins);
  if (!isResult(text)) {
    if (input.scenario !== undefined)
      refuse({ file, expected: "a result, whose scenario --scenario names", found: "a scenario" });
    const params = await paramsFor(file, input.params, io);
    const { settings } = input;
    return { scenario: parseScenario(text, file, { settings, params, policies }), file, settings, result: null };
  }
  const result = oneForecast(text, file);
  const found = await scenarioOf(io, result, file, input);
  const laid = overridesOf(result).map((one) => splitPair(one, "an override of the result"));
  // Values of parameters stand among the settings; parameters have a place in the text.
  const isParameter = ([name]: readonly [string, string]) => found.text.includes(`\${${name}}`);
  const settings = [...laid.filter((one) => !isParameter(one)).map((pair) => pair.join("=")), ...input.settings];
  const params = { ...Object.fromEntries(laid.filter(isParameter)), ...input.params };
  const scenario = parseScenario(found.text, found.file, {
    settings,
    params: await paramsFor(found.file, params, io),
    policies,
  });
  return { scenario, file: found.file, settings, result };
}

/** Whether a text is JSON that is no scenario: a list, or a document of a kind. */
function isResult(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    const json: unknown = JSON.parse(text);
    return (
      Array.isArray(json) || (typeof json === "object" && json !== null && ("kind" in json || "schemaVersion" in json))
    );
  } catch {
    return text.trimStart().startsWith("[") || /"(?:kind|schemaVersion)"/.test(text);
  }
}

function oneForecast(text: string, file: string): Forecast {
  const { forecasts } = readForecasts(text, file);
  const [forecast, ...others] = forecasts;
  if (forecast === undefined || others.length > 0)
    return refuse({
      file,
      expected: "the result of one scenario",
      found: `${forecasts.length}`,
      hint: "run one scenario with --export json=FILE, or give the scenario itself",
    });
  if (forecast.interrupted) refuse({ file, at: "interrupted", expected: "the result of a whole run", found: true });
  return forecast;
}

/** The text of a result's scenario: the first of its places whose bytes are right. */
async function scenarioOf(
  io: Io,
  result: Forecast,
  file: string,
  { scenario, acceptDifferences }: ExplainedInput,
): Promise<{ readonly file: string; readonly text: string }> {
  const stated = result.scenario.file;
  const places = scenario !== undefined ? [scenario] : [...new Set([stated, join(dirname(file), basename(stated))])];
  const digest = result.inputs.find(({ role }) => role === "scenario")?.sha256 ?? null;
  let other: { readonly file: string; readonly text: string } | null = null;
  for (const place of places) {
    if (scenario === undefined && (await io.whatIs(place)) !== "file") continue;
    const text = await io.readText(place);
    if (digest !== null && sha256(text) === digest) return { file: place, text };
    other ??= { file: place, text };
  }
  if (other === null)
    throw new InvalidInputError([
      {
        file,
        at: "scenario.file",
        expected: "the scenario of the result",
        found: stated,
        hint: "name it with --scenario FILE",
      },
    ]);
  if (!acceptDifferences)
    refuse({
      file: other.file,
      expected: `the scenario that the result was made from, sha256 ${digest ?? "of which it does not state"}`,
      found: `sha256 ${sha256(other.text)}`,
      hint: "--scenario FILE names another one, --accept-differences explains this one",
    });
  return other;
}
