/**
 * moecast as a library: what the commands do, as functions. Their parts are loaded when they are first called. What is stable and what
 * may still change is listed in docs/library.md.
 */
export {
  exitCodes,
  InfeasibleError,
  InvalidInputError,
  MoecastError,
  OutputError,
  type Problem,
  SolverLimitError,
} from "./core/errors.ts";
export { version } from "./core/version.ts";
export type { Comparison } from "./forecast/compare/comparison.ts";
export type { Explanation } from "./forecast/explain/explanation.ts";
export type { Forecast, SloVerdict } from "./forecast/forecast.ts";
export type { Sensitivity } from "./forecast/sensitivity/sensitivity.ts";
export { type Catalogue, devices, engines, models, systems } from "./library/catalogues.ts";
export { type CompareOptions, compare } from "./library/compare.ts";
export {
  compareOffload,
  comparePlacements,
  type OffloadOptions,
  type PlaceOptions,
} from "./library/compare-policies.ts";
export { type ExplainOptions, explain, type SensitivityOptions, sensitivity } from "./library/explain.ts";
export { type ForecastOptions, forecast } from "./library/forecast.ts";
export { loadScenario, type ScenarioChanges } from "./library/load-scenario.ts";
export { type PlanOptions, plan } from "./library/plan.ts";
export { type RenderOptions, render, renderFormats } from "./library/render.ts";
export { readResults, writeResults } from "./library/results.ts";
export { resolveConfiguration, type SimulateOptions, simulateConfiguration } from "./library/simulation.ts";
export { type SweepOptions, sweep } from "./library/sweep.ts";
export { importTrace, traceStatistics } from "./library/traces.ts";
export type { LatencyStats } from "./metrics/latency-figures.ts";
export type { ModelSpec } from "./models/spec.ts";
export type { OffloadComparison } from "./offload/compare/comparison.ts";
export type { PlacementComparison } from "./place/comparison.ts";
export type { PlanDocument } from "./plan/answer/plan-document.ts";
export type { SweepResult } from "./plan/sweep/run-sweep.ts";
export type {
  CachePlugin,
  ParameterDefinition,
  ParameterDefinitions,
  PlacementPlugin,
  Plugin,
  PluginValues,
  RouterPlugin,
} from "./plugin/plugin.ts";
export type { CacheContext, ExpertCache } from "./policy/cache/expert-cache.ts";
export type { Placement, PlacementInput, PlacementTools } from "./policy/placement/placement.ts";
export type { Router, RouterView } from "./policy/router/router.ts";
export type { Scenario } from "./scenario/parse-scenario.ts";
export type { SimConfig } from "./sim/config.ts";
export type { RunResult } from "./sim/result.ts";
export type { TraceStats } from "./trace/stats/trace-stats.ts";
