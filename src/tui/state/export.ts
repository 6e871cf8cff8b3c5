import { type Core, currentRun, type Intent } from "./core.ts";
import { stem } from "./stem.ts";

const say = (text: string): Intent[] => [{ kind: "say", text, tone: "warn" }];

/** Asks where the run that is shown goes. */
export function exportPrompt(core: Core): Intent[] {
  const run = currentRun(core);
  if (run === null) return say("there is no run to export yet");
  const value = `${stem(run.name)}.${run.request === null ? "json" : "yaml"}`;
  const label = "export to (.yaml scenario; .json .csv .md result): ";
  return [{ kind: "ask", prompt: { kind: "export", label, value, suggestions: [] } }];
}

/** A scenario with its settings, or a result, by the ending of the name. */
export function exported(core: Core, path: string): Intent[] {
  const run = currentRun(core);
  if (run === null || path === "") return [];
  if (/\.ya?ml$/.test(path)) {
    if (run.request === null) return say("a saved result has no scenario with it: export .json, .csv or .md");
    return [{ kind: "writeScenario", path, request: run.request, name: stem(path) }];
  }
  if (run.forecast === null) return say("the run has no result yet: its scenario (.yaml) can be written");
  return [{ kind: "writeResult", path, forecast: run.forecast }];
}
