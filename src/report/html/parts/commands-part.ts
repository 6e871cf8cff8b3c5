import { shellQuoted } from "../../../engine/launch/shell-words.ts";
import type { Forecast } from "../../../forecast/forecast.ts";
import { overridesOf } from "../../../forecast/overrides.ts";

/** What gives the same figures again, and what asks further, as lines for a shell. */
export function commandsOf(forecast: Forecast): string {
  const { scenario, inputs } = forecast;
  const named = (role: string, option: string) =>
    inputs.filter((input) => input.role === role).map(({ name }) => ` \\\n  ${option} ${shellQuoted(name)}`);
  const settings = overridesOf(forecast).map((setting) => ` \\\n  --set ${shellQuoted(setting)}`);
  const laid = [...settings, ...named("plugin", "--plugin")].join("");
  const file = shellQuoted(scenario.file);
  return [
    `moecast run ${file}${laid}${named("observed", "--observed").join("")}`,
    `moecast explain ${file}${laid}`,
  ].join("\n");
}
