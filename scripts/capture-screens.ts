import { makePalette } from "../src/report/widgets/palette.ts";
import type { Size } from "../src/report/widgets/styled-text.ts";
import { fieldsOf } from "../src/tui/engine/fields-of.ts";
import type { EngineReport } from "../src/tui/engine/messages.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "../src/tui/keys/global-keys.ts";
import { actionName, isCommon, keyLabel } from "../src/tui/keys/key-map.ts";
import { emptyLibrary } from "../src/tui/library/library.ts";
import { listLibrary } from "../src/tui/library/list-library.ts";
import { readLibrary } from "../src/tui/library/read-library.ts";
import type { KeyBinding } from "../src/tui/screens/screen.ts";
import { screens } from "../src/tui/screens/screens.ts";
import { type AppState, firstState } from "../src/tui/state/app-state.ts";
import type { Event } from "../src/tui/state/events.ts";
import { reduce } from "../src/tui/state/reducer.ts";
import { frame } from "../src/tui/view/frame.ts";
import { examplePlan, planQuestionText } from "./example-plan.ts";
import { reportsOf, requestOf } from "./example-run.ts";

/** What the pages show: the offload example, and the same with fewer slots. */
const file = "scenarios/offload-4090.yaml";
const request = requestOf(file, ["traffic.requests=20"]);
const changed = { ...request, settings: [...request.settings, "policy.offload.slots=4"] };

/** Steps between two snapshots of a run. */
const batchSteps = 400;

/** No colours and no marks: what a page can show. */
const palette = makePalette({ depth: "none", unicode: true, marks: false });

const key = (name: string): Event => ({ kind: "key", key: name });
const text = (typed: string): Event => ({ kind: "text", text: typed });
const engine = (report: EngineReport): Event => ({ kind: "engine", report });
const told = (state: AppState, ...events: readonly Event[]): AppState =>
  events.reduce((now, event) => reduce(now, event).state, state);

/** Frames of screens by name, in a size of the terminal. */
export type Frames = (screen: string, size: Size) => readonly string[];

/** Makes the frames of all screens, of a real run and of a real plan; the same bytes each time. */
export async function screenFrames(): Promise<Frames> {
  const nowhere = "/nonexistent";
  const library = {
    ...emptyLibrary,
    scenarios: (await readLibrary(await listLibrary(nowhere), nowhere, nowhere)).scenarios,
  };
  const first = await reportsOf(1, request, batchSteps);
  const second = await reportsOf(2, changed, batchSteps);
  const document = await examplePlan({ file: "chat.yaml", text: planQuestionText, settings: [], params: {} });
  const planned: Event = { kind: "planned", plan: { file: "plan/plan.json", document, hasScenario: true } };
  const start: Event = { kind: "intents", intents: [{ kind: "start", name: "offload-4090", request }] };
  const startChanged: Event = { kind: "intents", intents: [{ kind: "start", name: "offload-4090", request: changed }] };
  const finished = (reports: readonly EngineReport[], id: number) => engine({ ...reports.at(-1)!, id });

  const begun = (size: Size) => told(firstState(size, library, new Map()), start);
  const ran = (size: Size) => told(begun(size), ...first.map(engine));
  /** The question of the pages, answered. */
  const asked = (size: Size): AppState => {
    const opened = told(ran(size), key("7"));
    const base = opened.core.nextId - 1;
    const fields = engine(fieldsOf({ kind: "fields", id: base, request }));
    const typing = told(opened, fields, finished(first, base), key("/"), text("offload"), key("enter"));
    const at = told(typing, key("j"), key("enter"), key("ctrl+u"), text("4"), key("enter"));
    return told(at, finished(second, at.core.nextId - 1));
  };
  const states: Readonly<Record<string, (size: Size) => AppState>> = {
    home: (size) => told(firstState(size, library, new Map())),
    run: (size) => told(begun(size), ...first.slice(0, Math.ceil(first.length / 2)).map(engine), key("2")),
    "what-if": asked,
    compare: (size) => told(ran(size), startChanged, ...second.map(engine), key("8")),
    plan: (size) => told(firstState(size, library, new Map()), planned),
    help: (size) => told(ran(size), key("2"), key("?")),
  };
  return (name, size) => {
    const at = screens.findIndex(({ id }) => id === name);
    const state = states[name]?.(size) ?? told(ran(size), key(String((at + 1) % 10)));
    return frame(state, palette).map((line) => line.trimEnd());
  };
}

const marker = /^<!-- screen ([a-z-]+) (\d+)x(\d+) -->\n\n```text\n(?:[\s\S]*?\n)??```$/gm;

/** The keys of all screens and of each, with the names that a key file has for them. */
function keysTable(): string {
  const row = (where: string, of: string | null, { action, keys, help }: KeyBinding) =>
    `| ${where} | ${keys.map((one) => `\`${keyLabel(one).replace("|", "\\|")}\``).join(" ")} | ${help} | \`${actionName(of, action)}\` |`;
  return [
    "| where | key | what it does | action |",
    "|---|---|---|---|",
    "| all screens | `1` ... `9` `0` | to a screen by its number | |",
    ...[...globalKeys, ...moveKeys, ...sidewaysKeys].map((binding) => row("all screens", null, binding)),
    ...screens.flatMap(({ id, title, keys }) =>
      keys.filter((binding) => !isCommon(binding)).map((binding) => row(title, id, binding)),
    ),
  ].join("\n");
}

/** The page with its screens and keys as they are now. */
export function withScreens(text: string, frames: Frames): string {
  return text
    .replace(marker, (_, name: string, width: string, height: string) => {
      const lines = frames(name, { width: Number(width), height: Number(height) });
      return `<!-- screen ${name} ${width}x${height} -->\n\n\`\`\`text\n${lines.join("\n")}\n\`\`\``;
    })
    .replace(
      /(<!-- keys -->\n\n)[\s\S]*?(\n\n<!-- end of keys -->)/,
      (_, head: string, end: string) => head + keysTable() + end,
    );
}
