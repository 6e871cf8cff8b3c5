import type { AppState } from "./app-state.ts";
import type { Intent } from "./core.ts";
import { type Effect, type Reduced, withCore } from "./events.ts";
import { typedPrompt } from "./line-editor.ts";
import { back, opened } from "./navigate.ts";
import { newRecord, stoodStill } from "./run-record.ts";
import { traceOrder } from "./trace-record.ts";
import { newTrial } from "./trial.ts";

/** Trials that are kept: as far back as anybody steps. */
const trialsMax = 100;

/** Carries out what can be done in the state, and gives the rest back. */
export function asked(state: AppState, intents: readonly Intent[]): Reduced {
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
        now = { ...now, prompt: typedPrompt(intent.prompt) };
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
        effects.push({ kind: "trial", order: { kind: "fields", id, request: intent.stated } });
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
