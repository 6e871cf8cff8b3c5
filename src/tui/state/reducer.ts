import type { Forecast } from "../../forecast/forecast.ts";
import type { Tone } from "../../report/page.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { EngineOrder, EngineReport } from "../engine/messages.ts";
import { actionOf } from "../keys/key-map.ts";
import type { Library } from "../library/library.ts";
import type { Act } from "../screens/screen.ts";
import { screenOf, screens } from "../screens/screens.ts";
import { bodyArea } from "../view/layout.ts";
import type { AppState } from "./app-state.ts";
import { commandNames, commandOf } from "./commands.ts";
import type { Intent, OpenPlan } from "./core.ts";
import { exported, exportPrompt } from "./export.ts";
import { heard, isOpen, loadedRecord, newRecord, stoodStill } from "./run-record.ts";
import { traceOrder } from "./trace-record.ts";
import { newTrial, trialHeard } from "./trial.ts";

/** What happens to the screens. */
export type Event =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "typed"; readonly text: string; readonly done: boolean }
  | { readonly kind: "untyped" }
  | { readonly kind: "resized"; readonly size: Size }
  | { readonly kind: "engine"; readonly report: EngineReport }
  | { readonly kind: "library"; readonly library: Library }
  | { readonly kind: "loaded"; readonly forecast: Forecast; readonly file: string; readonly show: boolean }
  | { readonly kind: "planned"; readonly plan: OpenPlan }
  | { readonly kind: "saved"; readonly id: number; readonly file: string }
  | { readonly kind: "said"; readonly text: string; readonly tone: Tone | null }
  | { readonly kind: "intents"; readonly intents: readonly Intent[] };

/** What is to be done outside of the state. */
export type Effect =
  | Extract<
      Intent,
      {
        readonly kind: "engine" | "startFile" | "load" | "copy" | "copyFile" | "writeScenario" | "writeResult" | "quit";
      }
    >
  /** For the thread that answers questions. */
  | { readonly kind: "trial"; readonly order: EngineOrder }
  | { readonly kind: "redraw" };

/** The state after an event, and what is to be done. Pure. */
export interface Reduced {
  readonly state: AppState;
  readonly effects: readonly Effect[];
}

const only = (state: AppState): Reduced => ({ state, effects: [] });

export function reduce(state: AppState, event: Event): Reduced {
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
    case "typed":
      return typed(state, event.text, event.done);
    case "untyped":
      return only({ ...state, prompt: null });
    case "resized":
      return only(withCore(state, { size: event.size }));
    case "engine":
      return reported(state, event.report);
    case "library":
      return only(withCore(state, { library: event.library }));
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

const withCore = (state: AppState, core: Partial<AppState["core"]>): AppState => ({
  ...state,
  core: { ...state.core, ...core },
});

function pressed(state: AppState, key: string): Reduced {
  if (state.help !== null) return helpKey(state, key);
  const screen = screenOf(state.screen);
  const found = actionOf(state.keys, screen, key);
  if (found === null)
    return /^[0-9]$/.test(key) ? opened(state, screens[key === "0" ? 9 : Number(key) - 1]?.id) : only(state);
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
export function globally(state: AppState, action: string): Reduced {
  switch (action) {
    case "help":
      return only({ ...state, help: { filter: "", from: 0 } });
    case "command":
      return asked(state, [
        { kind: "ask", prompt: { kind: "command", label: ":", value: "", suggestions: commandNames(state) } },
      ]);
    case "export":
      return asked(state, exportPrompt(state.core));
    case "back": {
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
    case "quit":
      return { state, effects: [{ kind: "quit" }] };
    default:
      return only(state);
  }
}

function back(state: AppState): Reduced {
  const last = state.before.at(-1);
  if (last === undefined) return only({ ...state, screen: screens[0]!.id });
  return only({ ...state, screen: last, before: state.before.slice(0, -1) });
}

/** Screens to go back to at most. */
const beforeMax = 20;

function opened(state: AppState, id: string | undefined): Reduced {
  if (id === undefined || id === state.screen) return only(state);
  return only({ ...state, screen: id, before: [...state.before, state.screen].slice(-beforeMax) });
}

function helpKey(state: AppState, key: string): Reduced {
  const { filter, from } = state.help!;
  if (key === "escape" || (key === "?" && filter === "")) return only({ ...state, help: null });
  if (key === "ctrl+c") return globally(state, "quit");
  if (key === "down" || key === "pagedown")
    return only({ ...state, help: { filter, from: from + (key === "down" ? 1 : 10) } });
  if (key === "up" || key === "pageup")
    return only({ ...state, help: { filter, from: Math.max(0, from - (key === "up" ? 1 : 10)) } });
  const typedFilter =
    key === "backspace" || key === "delete"
      ? [...filter].slice(0, -1).join("")
      : key === "space"
        ? `${filter} `
        : [...key].length === 1
          ? filter + key
          : filter;
  return only({ ...state, help: { filter: typedFilter, from: 0 } });
}

function typed(state: AppState, text: string, done: boolean): Reduced {
  const { prompt } = state;
  if (prompt === null) return only(state);
  const next = done ? { ...state, prompt: null } : { ...state, prompt: { ...prompt, value: text } };
  if (prompt.kind === "command") return done ? commanded(next, text) : only(next);
  if (prompt.kind === "export") return done ? asked(next, exported(next.core, text.trim())) : only(next);
  const screen = screenOf(state.screen);
  const act = screen.typed?.(state.own[screen.id], prompt.kind, text, done, state.core);
  return act === undefined ? only(next) : took(next, act);
}

function commanded(state: AppState, text: string): Reduced {
  const command = commandOf(state, text);
  if (command === null)
    return only(
      text.trim() === ""
        ? state
        : { ...state, notice: { text: `no command "${text.trim()}": ? lists all`, tone: "warn" } },
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
  if (frozen && report.kind === "snapshot") return only(state);
  const next = heard(record, report);
  const changed = withCore(state, {
    runs: runs.map((run) => (run.id === report.id ? next : run)),
    ...(isOpen(record) && !isOpen(next) ? { frozen: false } : {}),
  });
  if (next.stand === "failed" && next.message !== null)
    return only({ ...changed, notice: { text: next.message.split("\n")[0] ?? "", tone: "bad" } });
  return only(changed);
}

/** Trials that are kept: as far back as anybody steps. */
const trialsMax = 100;

/** Carries out what can be done in the state, and gives the rest back. */
function asked(state: AppState, intents: readonly Intent[]): Reduced {
  let now = state;
  const effects: Effect[] = [];
  for (const intent of intents) {
    const { core } = now;
    switch (intent.kind) {
      case "open":
        now = opened(now, intent.screen).state;
        break;
      case "back":
        now = back(now).state;
        break;
      case "show":
        now = withCore(now, { current: intent.run });
        break;
      case "mark":
        now = withCore(now, { marked: toggled(core.marked, intent.run) });
        break;
      case "ask":
        now = { ...now, prompt: intent.prompt, prompts: now.prompts + 1 };
        break;
      case "say":
        now = { ...now, notice: { text: intent.text, tone: intent.tone ?? null } };
        break;
      case "start": {
        const id = core.nextId;
        const record = newRecord(id, intent.name, intent.request);
        // The engine stands still as a whole: who runs something wants it to go on.
        const runs = core.runs.map((run) => stoodStill(run, false));
        now = withCore(now, { runs: [...runs, record], current: id, nextId: id + 1, frozen: false });
        effects.push({ kind: "engine", order: { kind: "pause", paused: false } });
        effects.push({ kind: "engine", order: { kind: "run", id, request: intent.request, live: true } });
        break;
      }
      case "try": {
        const id = core.nextId;
        const earlier = core.trials.map((trial) =>
          intent.ends.includes(trial.id) ? { ...trial, ended: true } : trial,
        );
        const trials = [...earlier, newTrial(id, intent.request)].slice(-trialsMax);
        now = withCore(now, { trials, nextId: id + 1 });
        for (const ended of intent.ends) effects.push({ kind: "trial", order: { kind: "stop", id: ended } });
        effects.push({ kind: "trial", order: { kind: "fields", id, request: intent.request } });
        effects.push({ kind: "trial", order: { kind: "run", id, request: intent.request, live: false } });
        break;
      }
      case "trace": {
        const order = traceOrder(
          core.runs.find(({ id }) => id === intent.run),
          intent.of,
        );
        if (order !== null) effects.push({ kind: "trial", order });
        break;
      }
      case "pause":
        now = withCore(now, { runs: core.runs.map((run) => stoodStill(run, intent.paused)) });
        effects.push({ kind: "engine", order: { kind: "pause", paused: intent.paused } });
        break;
      case "freeze":
        now = withCore(now, { frozen: intent.frozen });
        break;
      case "abortOnFail":
        now = withCore(now, { abortOnFail: intent.on });
        effects.push({ kind: "engine", order: { kind: "abortOnFail", on: intent.on } });
        break;
      default:
        effects.push(intent);
    }
  }
  return { state: now, effects };
}

/** The last two that were marked; one that is marked again is no more. */
const toggled = (marked: readonly number[], id: number): readonly number[] =>
  marked.includes(id) ? marked.filter((other) => other !== id) : [...marked, id].slice(-2);
