/** Commands in the order of the help, with what each does. Help of the program, and suggestions, need no more of them. */
export const abouts = {
  init: "write a scenario to begin with, made from a template for a model and a machine",
  run: "forecast scenarios: simulate them, report, and check their SLOs",
  tui: "watch runs, look at experts, caches and requests, and ask what-if questions in the terminal",
  compare: "hold results against one another: inputs, metrics with intervals, SLOs, ledger",
  explain: "say where the time of the median and of the p99 request goes, and what would help",
  offload: "compare expert caches, their sizes, prefetchers and what is done about misses, under load",
  place: "compare placements of experts over ranks on recorded routing, seen and unseen, and under load",
  plan: "find the best deployment that meets the SLOs of a scenario, within a budget",
  sweep: "run many configurations of a scenario; list, query and merge their results",
  worker: "run configurations of sweeps that come from a queue on Redis",
  calibrate: "fit a device profile to measured kernels, or an engine profile to measured servers; report the error",
  report: "write results as one self-contained HTML page",
  validate: "compare forecasts with measurements, and report the error",
  trace: "routing and request traces: import, inspect, statistics, synthesis",
  capture: "record a model's expert routing: execute its layers on this machine",
  hardware: "device, system and engine profiles",
  model: "models: shapes, parameters, bytes, FLOPs",
  map: "expert maps of serving engines: inspect, convert, export",
  comment: "forecasts against a baseline, as one comment of a pull request that later runs change",
  doctor: "say whether moecast works on this machine, and which optional parts do",
  completion: "print a script that completes commands, options and values in a shell",
  schema: "print the JSON Schema of scenarios or profiles (draft 7), for editors",
} as const satisfies Readonly<Record<string, string>>;

export type CommandName = keyof typeof abouts;
