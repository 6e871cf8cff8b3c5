/**
 * The parts that the functions of the library are made of, for those who put them together otherwise: `moecast/parts`. All of them are
 * loaded on import. Experimental: any release may change them.
 */
export { engineNamed } from "./engine/catalogue.ts";
export { compareForecasts } from "./forecast/baseline.ts";
export { type ForecastDeps, forecastScenario } from "./forecast/forecast-scenario.ts";
export { readForecast } from "./forecast/read-forecast.ts";
export { deviceNamed, nodeNamed } from "./hardware/named-profiles.ts";
export { modelNamed } from "./models/catalogue.ts";
export { resolveConfig } from "./models/resolve.ts";
export { pluginTables } from "./plugin/plugin-tables.ts";
export { exporters } from "./report/exporters.ts";
export { terminalSummary } from "./report/terminal.ts";
export { parseScenario, type ScenarioOptions } from "./scenario/parse-scenario.ts";
export { simulate } from "./sim/simulate.ts";
