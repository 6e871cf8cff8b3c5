import type { Forecast } from "./forecast.ts";

/** The settings that were laid over the scenario of a result, as `--set` takes them. */
export const overridesOf = ({ inputs }: Pick<Forecast, "inputs">): readonly string[] =>
  inputs.filter(({ role }) => role === "override").map(({ name }) => name);
