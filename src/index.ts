/**
 * moecast as a library: parse a scenario, forecast it, render the forecast; or build a SimConfig and run the simulator.
 */
export { exitCodes, InfeasibleError, InvalidInputError, MoecastError } from "./core/errors.ts";
export { version } from "./core/version.ts";
export { engineNamed } from "./engine/catalogue.ts";
export { compareForecasts } from "./forecast/baseline.ts";
export type { Forecast, SloVerdict } from "./forecast/forecast.ts";
export { type ForecastDeps, forecastScenario } from "./forecast/forecast-scenario.ts";
export { readForecast } from "./forecast/read-forecast.ts";
export { deviceNamed, nodeNamed } from "./hardware/named-profiles.ts";
export type { LatencyStats } from "./metrics/latency-figures.ts";
export { modelNamed } from "./models/catalogue.ts";
export { resolveConfig } from "./models/resolve.ts";
export type { ModelSpec } from "./models/spec.ts";
export { exporters } from "./report/exporters.ts";
export { terminalSummary } from "./report/terminal.ts";
export { parseScenario, type Scenario } from "./scenario/parse-scenario.ts";
export type { SimConfig } from "./sim/config.ts";
export type { RunResult } from "./sim/result.ts";
export { simulate } from "./sim/simulate.ts";
