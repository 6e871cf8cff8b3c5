import { fewDetailsWords } from "../screens/run-words.ts";
import { writingCommand } from "./command-line.ts";
import { type Core, currentRun, type Intent } from "./core.ts";
import { type DetailsFormat, detailsFormatOf, detailsFormats, formatWords } from "./details-formats.ts";
import { stem } from "./stem.ts";

const say = (text: string): Intent[] => [{ kind: "say", text, tone: "warn" }];

/** Asks where the run that is shown goes. `shown`: the format of what the screen shows; null where that is a result. */
export function exportPrompt(core: Core, shown: DetailsFormat | null): Intent[] {
  const run = currentRun(core);
  if (run === null) return say("there is no run to export yet");
  const ending =
    shown !== null && run.details !== null ? detailsFormats[shown] : run.request === null ? ".json" : ".yaml";
  const what = shown === null ? "" : `${detailsFormats[shown]} ${formatWords[shown]}; `;
  const label = `export to (${what}.yaml scenario; .json .csv .md result): `;
  return [{ kind: "ask", prompt: { kind: "export", label, value: stem(run.name) + ending, suggestions: [] } }];
}

/** What the screen shows, a scenario with its settings, or a result, by the ending of the name. */
export function exported(core: Core, path: string): Intent[] {
  const run = currentRun(core);
  if (run === null || path === "") return [];
  if (/\.ya?ml$/.test(path)) {
    if (run.request === null) return say("a saved result has no scenario with it: export .json, .csv or .md");
    return [{ kind: "writeScenario", path, request: run.request, name: stem(path) }];
  }
  if (run.forecast === null) return say("the run has no result yet: its scenario (.yaml) can be written");
  const format = detailsFormatOf(path);
  if (format === null) return [{ kind: "writeResult", path, forecast: run.forecast }];
  const { forecast, details, request } = run;
  if (details === null) return say(fewDetailsWords(run));
  const command = request === null ? null : writingCommand(request, format, path);
  return [{ kind: "writeDetails", path, format, forecast, details, command }];
}
