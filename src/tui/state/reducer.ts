import type { EngineReport } from "../engine/messages.ts";
import { actionOf, globalActionOf, keyLabel } from "../keys/key-map.ts";
import type { Act } from "../screens/screen.ts";
import { screenOf, screens } from "../screens/screens.ts";
import { bodyArea } from "../view/layout.ts";
import type { AppState } from "./app-state.ts";
import { commandNames, commandOf } from "./commands.ts";
import { type Event, only, type Reduced, withCore } from "./events.ts";
import { exported, exportPrompt } from "./export.ts";
import { helpAfter } from "./help-keys.ts";
import { asked } from "./intents.ts";
import { edited, handedIn, inserted, type TypedPrompt } from "./line-editor.ts";
import { lookOrder } from "./looked-at.ts";
import { back, opened } from "./navigate.ts";
import { heard, isOpen, loadedRecord, withFewDetails } from "./run-record.ts";
import { trialHeard } from "./trial.ts";

/** The state after an event, and what is to be done. */
export function reduce(state: AppState, event: Event): Reduced {
  const { state: next, effects } = shownAfter(state, event);
  return { state: next, effects: [...effects, ...lookOrder(state, next)] };
}

function shownAfter(state: AppState, event: Event): Reduced {
  const reduced = happened(state, event);
  const { screen, core } = reduced.state;
  const isNew = screen !== state.screen || core.current !== state.core.current;
  // The screen is new to the eye, or its run has come further.
  if (!isNew && event.kind !== "engine") return reduced;
  const { shown } = screenOf(screen);
  if (shown === undefined) return reduced;
  const next = took(reduced.state, shown(reduced.state.own[screen], core));
  return { state: next.state, effects: [...reduced.effects, ...next.effects] };
}

function happened(state: AppState, event: Event): Reduced {
  switch (event.kind) {
    case "key":
      return pressed({ ...state, notice: null }, event.key);
    case "text":
      return state.prompt === null ? only(state) : typed(state, inserted(state.prompt, event.text));
    case "resized":
      return only(withCore(state, { size: event.size }));
    case "engine":
      return reported(state, event.report);
    case "library":
      return only(withCore(state, { library: event.library }));
    case "reading":
      return only({ ...state, reading: event.file });
    case "loaded": {
      const id = state.core.nextId;
      const record = loadedRecord(id, event.forecast, event.file);
      const loaded = withCore(state, { runs: [...state.core.runs, record], nextId: id + 1 });
      return event.show
        ? asked(loaded, [
            { kind: "show", run: id },
            { kind: "open", screen: "run" },
          ])
        : only(loaded);
    }
    case "planned":
      return opened({ ...withCore(state, { plan: event.plan }), notice: null }, "plan");
    case "saved":
      return only(
        withCore(state, {
          runs: state.core.runs.map((run) => (run.id === event.id ? { ...run, savedAs: event.file } : run)),
        }),
      );
    case "said":
      return only({ ...state, notice: { text: event.text, tone: event.tone } });
    case "intents":
      return asked(state, event.intents);
  }
}

/** What keys with Ctrl also do while text is typed. */
const besideText: ReadonlySet<string> = new Set(["redraw", "suspend", "quit"]);

function pressed(state: AppState, key: string): Reduced {
  const { prompt, help } = state;
  if (prompt !== null) {
    if (key === "enter") return handed(state, prompt);
    if (key === "escape" || key === "ctrl+c") return only({ ...state, prompt: null });
    const line = edited(prompt, key);
    if (line !== prompt) return typed(state, line);
  }
  if (prompt !== null || help !== null) {
    const action = key.startsWith("ctrl+") ? globalActionOf(state.keys, key) : null;
    if (action !== null && besideText.has(action)) return globally(state, action);
    return only(help === null ? state : { ...state, help: helpAfter(help, key) });
  }
  const screen = screenOf(state.screen);
  const found = actionOf(state.keys, screen, key);
  if (found === null)
    return /^[0-9]$/.test(key)
      ? opened(state, screens[key === "0" ? 9 : Number(key) - 1]?.id)
      : only({
          ...state,
          notice: { text: `${keyLabel(key)} does nothing on ${screen.title}: ? lists the keys`, tone: null },
        });
  return found.own ? acted(state, found.action) : globally(state, found.action);
}

/** An action of the screen that is shown. */
function acted(state: AppState, action: string): Reduced {
  const screen = screenOf(state.screen);
  return took(state, screen.act(state.own[screen.id], action, state.core, bodyArea(state.core.size)));
}

function took(state: AppState, { own, intents = [] }: Act<unknown>): Reduced {
  const changed = own === undefined ? state : { ...state, own: { ...state.own, [state.screen]: own } };
  return asked(changed, intents);
}

/** An action that every screen has. */
function globally(state: AppState, action: string): Reduced {
  switch (action) {
    case "help":
      return only({ ...state, help: { filter: "", from: 0 } });
    case "command":
      return asked(state, [
        { kind: "ask", prompt: { kind: "command", label: ":", value: "", suggestions: commandNames(state) } },
      ]);
    case "export":
      return asked(state, exportPrompt(state.core, screenOf(state.screen).exports ?? null));
    case "back": {
      // What is being read would open a screen that nobody wants any more.
      if (state.reading !== null) return { state: { ...state, reading: null }, effects: [{ kind: "endLoad" }] };
      const { id, back: inside } = screenOf(state.screen);
      const act = inside?.(state.own[id], state.core) ?? null;
      return act === null ? back(state) : took(state, act);
    }
    case "next":
    case "previous": {
      const at = screens.findIndex(({ id }) => id === state.screen);
      return opened(state, screens[(at + (action === "next" ? 1 : screens.length - 1)) % screens.length]!.id);
    }
    case "redraw":
      return { state, effects: [{ kind: "redraw" }] };
    case "suspend":
      return { state, effects: [{ kind: "suspend" }] };
    case "quit":
      return { state, effects: [{ kind: "quit" }] };
    default:
      return only(state);
  }
}

/** The line reads otherwise: the screen that asked for it may follow. */
function typed(state: AppState, line: TypedPrompt): Reduced {
  const next = { ...state, prompt: line };
  // Where the cursor alone has moved nothing is to be followed.
  if (line.value === state.prompt?.value) return only(next);
  return told(next, line.kind, line.value, false);
}

/** Enter hands the line in. */
function handed(state: AppState, prompt: TypedPrompt): Reduced {
  const next = { ...state, prompt: null };
  const text = handedIn(prompt);
  if (prompt.kind === "command") return commanded(next, text);
  if (prompt.kind === "export") return asked(next, exported(next.core, text.trim()));
  return told(next, prompt.kind, text, true);
}

/** Text for the screen that asked for it. */
function told(state: AppState, kind: string, text: string, done: boolean): Reduced {
  const screen = screenOf(state.screen);
  const act = screen.typed?.(state.own[screen.id], kind, text, done, state.core);
  return act === undefined ? only(state) : took(state, act);
}

function commanded(state: AppState, text: string): Reduced {
  const command = commandOf(state, text);
  if (command === null)
    return only(
      text.trim() === ""
        ? state
        : { ...state, notice: { text: `no command "${text.trim()}": : and Tab list all`, tone: "warn" } },
    );
  if (command.kind === "open") return opened(state, command.screen);
  return command.kind === "own" ? acted(state, command.action) : globally(state, command.action);
}

function reported(state: AppState, report: EngineReport): Reduced {
  const { runs, frozen } = state.core;
  const record = runs.find(({ id }) => id === report.id);
  if (record === undefined) {
    const { trials } = state.core;
    return only(
      withCore(state, { trials: trials.map((trial) => (trial.id === report.id ? trialHeard(trial, report) : trial)) }),
    );
  }
  if (frozen && (report.kind === "snapshot" || report.kind === "details")) return only(state);
  const next = heard(record, report);
  const changed = withCore(state, {
    runs: withFewDetails(runs.map((run) => (run.id === report.id ? next : run))),
    ...(isOpen(record) && !isOpen(next) ? { frozen: false } : {}),
  });
  if (next.stand === "failed" && next.message !== null)
    return only({ ...changed, notice: { text: next.message.split("\n")[0] ?? "", tone: "bad" } });
  return only(changed);
}
