import { reportsOf, requestOf } from "../../scripts/example-run.ts";
import type { Size } from "../../src/report/widgets/styled-text.ts";
import { fieldsOf } from "../../src/tui/engine/fields-of.ts";
import type { EngineReport } from "../../src/tui/engine/messages.ts";
import type { KeyMap } from "../../src/tui/keys/key-map.ts";
import { emptyLibrary, type Library } from "../../src/tui/library/library.ts";
import { type AppState, firstState } from "../../src/tui/state/app-state.ts";
import type { Event } from "../../src/tui/state/events.ts";
import { reduce } from "../../src/tui/state/reducer.ts";
import { endedRun } from "./screens/ended-run.ts";

/** A scenario that fills every screen in a moment. */
export const request = requestOf("test/fixtures/scenarios/screens.yaml");

/** What the engine says of its run, and of the keys that it may state. */
export const reports = await reportsOf(1, request);
export const fields = fieldsOf({ kind: "fields", id: 1, request }) as Extract<EngineReport, { kind: "fields" }>;

/** What it says of its experts and caches while it goes on. */
export const looked = {
  kind: "details",
  id: 1,
  details: (await endedRun(request.file, request.settings)).begun,
} as const satisfies EngineReport;

/** Its result. */
export const { forecast, details } = reports.at(-1) as Extract<EngineReport, { kind: "finished" }>;

/** The same of another run. */
export const ofRun = (report: EngineReport, id: number): EngineReport => ({ ...report, id });

const someFiles: Library = {
  ...emptyLibrary,
  scenarios: [
    { file: "mine.yaml", shown: "mine.yaml", bundled: false, name: "mine", description: "a scenario of mine" },
    {
      file: "scenarios/quickstart.yaml",
      shown: "quickstart.yaml",
      bundled: true,
      name: "quickstart",
      description: null,
    },
  ],
  results: [
    {
      file: "/results/one.json",
      name: "one",
      passed: true,
      interrupted: false,
      saved: "2026-11-30 16:40",
      settings: ["traffic.requests=40"],
      scenario: "scenarios/one.yaml",
      headline: "PASS  all 3 SLOs hold",
    },
  ],
};

/** The screens before anything has happened. */
export const begun = (size: Size = { width: 80, height: 24 }, keys: KeyMap = new Map()): AppState =>
  firstState(size, someFiles, keys);

/** A state after events, whatever is to be done for them. */
export const told = (state: AppState, ...events: readonly Event[]): AppState =>
  events.reduce((now, event) => reduce(now, event).state, state);

export const key = (name: string): Event => ({ kind: "key", key: name });
export const keys = (...names: readonly string[]): Event[] => names.map(key);
/** A line that is asked for reads so, and is handed in. */
export const typing = (text: string, done = true): Event[] => [
  ...keys("end", "ctrl+u"),
  { kind: "text", text },
  ...(done ? [key("enter")] : []),
];
export const engine = (report: EngineReport): Event => ({ kind: "engine", report });

/** The scenario is started, and shown. */
export const started: Event = {
  kind: "intents",
  intents: [
    { kind: "start", name: "screens", request },
    { kind: "open", screen: "run" },
  ],
};

/** The screens while the first run goes on, and after it. */
export const running = (size?: Size): AppState => told(begun(size), started, engine(reports[0]!));
export const ran = (size?: Size): AppState => told(begun(size), started, ...reports.map(engine));
