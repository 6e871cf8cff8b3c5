import { describe, expect, test } from "vitest";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { questionOf, type WhatIfState } from "../../../src/tui/screens/what-if.ts";
import type { AppState } from "../../../src/tui/state/app-state.ts";
import { commandLine } from "../../../src/tui/state/command-line.ts";
import type { Effect, Event } from "../../../src/tui/state/events.ts";
import { reduce } from "../../../src/tui/state/reducer.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import {
  begun,
  engine,
  fields,
  forecast,
  key,
  keys,
  ofRun,
  ran,
  reports,
  request,
  started,
  told,
  typing,
} from "../example.ts";

const own = (state: AppState) => state.own["what-if"] as WhatIfState;
const finished = reports.at(-1)!;
const interrupted = { ...finished, forecast: { ...forecast, interrupted: true } } as typeof finished;

/** The screen with its form, after the base has run. */
function opened(size = { width: 120, height: 40 }): AppState {
  const there = told(ran(size), key("7"));
  const base = there.core.trials[0]!.id;
  return told(there, engine(ofRun(fields, base)), engine(ofRun(finished, base)));
}

const orders = (effects: readonly Effect[]) => effects.flatMap((one) => (one.kind === "trial" ? [one.order] : []));
/** What is asked of the thread that answers. */
const asks = (state: AppState, event: Event) => orders(reduce(state, event).effects);
/** The key of a path is selected. */
function select(state: AppState, path: string): AppState {
  const filtered = told(state, key("/"), ...typing(path));
  expect(filtered.own["what-if"]).toMatchObject({ filter: path, selected: 0 });
  return filtered;
}
const answer = (state: AppState, report = finished): AppState =>
  told(state, engine(ofRun(fields, state.core.nextId - 1)), engine(ofRun(report, state.core.nextId - 1)));
const changed = (state: AppState, path: string, value: string): AppState =>
  told(select(state, path), key("enter"), ...typing(value));
const bodyOf = (state: AppState) => frame(state, plainPalette).join("\n");

describe("the base", () => {
  test("is the run that the screens show, asked once", () => {
    const { state, effects } = reduce(ran(), key("7"));
    expect(orders(effects).map(({ kind }) => kind)).toEqual(["fields", "run"]);
    expect(own(state)).toMatchObject({ base: request, run: 1, place: -1, history: [] });
    for (const event of [key("1"), key("7")]) expect(asks(told(state, key("1")), event)).toEqual([]);
    expect(bodyOf(state)).toContain("all 30 requests");
  });

  test("is another one once another run is shown", () => {
    const again = told(opened(), key("2"), key("r"), ...reports.map((report) => engine(ofRun(report, 3))), key("7"));
    expect(own(again).run).toBe(again.core.current);
    expect(own(again).history).toEqual([]);
  });

  test("is none for a saved result, and keys then change nothing", () => {
    const loaded = told(opened(), { kind: "loaded", forecast, file: "x.json", show: true }, key("7"));
    expect(bodyOf(loaded)).toContain("run its scenario");
    for (const name of ["+", "-", "enter", "r", "y", "w", "b", "d"]) {
      const { state, effects } = reduce(loaded, key(name));
      expect(effects).toEqual([]);
      expect(state.prompt).toBeNull();
      expect(own(state)).toEqual(own(loaded));
    }
  });
});

describe("a change", () => {
  test("is asked on the same requests, with its setting laid over", () => {
    const state = changed(opened(), "policy.offload.slots", "4");
    expect(questionOf(own(state))).toMatchObject({ changes: ["policy.offload.slots=4"] });
    const trial = state.core.trials.at(-1)!;
    expect(trial.request).toEqual({ ...request, settings: ["policy.offload.slots=4"] });
    expect(own(state)).toMatchObject({ place: 0 });
    expect(bodyOf(state)).toContain("policy.offload.slots=4");
  });

  test("shows what it does to every metric once it is answered", () => {
    const asked = changed(opened(), "policy.offload.slots", "4");
    expect(bodyOf(asked)).toContain("the change is run");
    const body = bodyOf(answer(asked));
    expect(body).toContain("before");
    expect(body).toMatch(/same +\S+/);
  });

  test("that is refused says why", () => {
    const asked = changed(opened(), "policy.offload.slots", "400");
    const refused = told(
      asked,
      engine({ kind: "failed", id: asked.core.nextId - 1, message: "slots: expected fewer" }),
    );
    expect(bodyOf(refused)).toContain("slots: expected fewer");
  });

  test("by the keys + and - is the next value, and that of the same key takes its place", () => {
    const slots = select(opened(), "policy.offload.slots");
    expect(questionOf(own(told(slots, key("+"))))?.changes).toEqual(["policy.offload.slots=6"]);
    const twice = told(answer(told(slots, key("+"))), key("-"));
    expect(questionOf(own(twice))?.changes).toHaveLength(1);
    expect(questionOf(own(told(slots, key("d"))))?.changes).toEqual(["policy.offload.slots=null"]);
  });

  test("follows from the one before it, however fast the keys come", () => {
    const slots = select(opened(), "policy.offload.slots");
    expect(questionOf(own(told(slots, ...keys("+", "+", "-"))))?.changes).toEqual(["policy.offload.slots=6"]);
    expect(questionOf(own(told(slots, ...keys("+", "+", "+", "+"))))?.changes).toEqual(["policy.offload.slots=9"]);
    const kinds = select(opened(), "policy.offload.kind");
    const [first, second] = [["+"], ["+", "+"]].map((pressed) => questionOf(own(told(kinds, ...keys(...pressed)))));
    expect(second!.changes).not.toEqual(first!.changes);
  });

  test("of the number of requests stands above the sample", () => {
    const there = told(begun({ width: 120, height: 40 }), started, ...reports.slice(0, -1).map(engine));
    const short = { ...finished, wallMs: 60_000, leastSample: 10 } as typeof finished;
    const sampled = told(there, engine(short), key("7"));
    const base = sampled.core.trials.at(-1)!;
    expect(base.request.settings).toEqual(["traffic.requests=10"]);
    const ready = told(sampled, engine(ofRun(fields, base.id)), engine(ofRun(finished, base.id)));
    const asked = changed(ready, "traffic.requests", "-1").core.trials.at(-1)!;
    expect(asked.request.settings.at(-1)).toBe("traffic.requests=-1");
  });

  test("that is refused becomes no base", () => {
    const asked = changed(opened(), "policy.offload.slots", "900");
    const refused = told(asked, engine({ kind: "failed", id: asked.core.nextId - 1, message: "does not fit" }));
    const still = told(refused, key("b"));
    expect(own(still)).toEqual(own(refused));
    expect(still.notice?.text).toContain("no base");
  });

  test("to what it is already is none", () => {
    const slots = told(select(opened(), "policy.offload.slots"), key("enter"));
    expect(slots.prompt).toMatchObject({ label: "policy.offload.slots = ", value: "5" });
    expect(asks(told(slots, ...typing("5", false)), key("enter"))).toEqual([]);
    expect(asks(told(slots, ...keys("end", "ctrl+u")), key("4"))).toEqual([]);
  });
});

describe("questions one after the other", () => {
  const three = () =>
    ["4", "6", "7"].reduce((state, slots) => answer(changed(state, "policy.offload.slots", slots)), opened());

  test("are stepped through, and each shows its answer without being asked again", () => {
    let state = three();
    const shown: (string | undefined)[] = [];
    for (const name of ["u", "u", "u", "u", "U", "U"]) {
      const { state: next, effects } = reduce(state, key(name));
      expect(effects).toEqual([]);
      state = next;
      shown.push(questionOf(own(state))?.changes[0]);
    }
    expect(shown.map((one) => one?.split("=")[1])).toEqual(["6", "4", undefined, undefined, "4", "6"]);
  });

  test("a change after steps back forgets what came after", () => {
    const back = told(three(), ...keys("u", "u"));
    const other = changed(back, "policy.offload.slots", "3");
    expect(own(other).history.map(({ changes }) => changes[0])).toEqual([
      "policy.offload.slots=4",
      "policy.offload.slots=3",
    ]);
  });

  test("the one that nobody waits for any more is stopped, never the base", () => {
    const first = changed(opened(), "policy.offload.slots", "4");
    const running = first.core.nextId - 1;
    const second = select(first, "policy.offload.slots");
    expect(asks(told(second, key("enter"), ...typing("6", false)), key("enter"))[0]).toEqual({
      kind: "stop",
      id: running,
    });
    const early = told(ran(), key("7"));
    const base = early.core.trials[0]!.id;
    const asked = asks(
      told(early, engine(ofRun(fields, base)), key("enter"), ...typing("h100-sxm-8", false)),
      key("enter"),
    );
    expect(asked.some((order) => order.kind === "stop")).toBe(false);
  });

  test("the one that was stopped is asked again where it is stepped back to", () => {
    const first = changed(opened(), "policy.offload.slots", "4");
    const second = answer(changed(first, "policy.offload.slots", "6"));
    for (const state of [
      second,
      told(second, engine({ kind: "failed", id: first.core.nextId - 1, message: "stopped before its first step" })),
      told(second, engine(ofRun(interrupted, first.core.nextId - 1))),
    ]) {
      const { state: back, effects } = reduce(state, key("u"));
      expect(orders(effects).map(({ kind }) => kind)).toEqual(["fields", "run"]);
      expect(questionOf(own(back))).toEqual({ changes: ["policy.offload.slots=4"], trial: back.core.nextId - 1 });
      expect(bodyOf(back)).toContain("the change is run");
      expect(reduce(answer(back), key("U")).effects).toEqual([]);
    }
    const late = told(second, engine(ofRun(finished, first.core.nextId - 1)));
    expect(reduce(late, key("u")).effects).toEqual([]);
  });
});

describe("what comes of a question", () => {
  const asked = () => answer(changed(opened(), "policy.offload.slots", "4"));
  const meant = { ...request, settings: ["policy.offload.slots=4"] };

  test("it is run whole, and shown", () => {
    const { state, effects } = reduce(asked(), key("r"));
    expect(effects).toContainEqual({
      kind: "engine",
      order: { kind: "run", id: state.core.current, request: meant, live: true },
    });
    expect(state.screen).toBe("run");
  });

  test("it is copied as a command, and written as a scenario", () => {
    expect(reduce(asked(), key("y")).effects).toEqual([{ kind: "copy", text: commandLine(meant) }]);
    const writing = told(asked(), key("w"));
    expect(reduce(told(writing, ...typing(" out/mine.yaml ", false)), key("enter")).effects).toEqual([
      { kind: "writeScenario", path: "out/mine.yaml", request: meant, name: "mine" },
    ]);
    expect(reduce(writing, key("escape")).effects).toEqual([]);
  });

  test("it becomes the base of further ones", () => {
    const state = told(asked(), key("b"));
    expect(own(state)).toMatchObject({ base: meant, place: -1, history: [] });
    expect(told(opened(), key("b")).notice).toMatchObject({ tone: "warn" });
  });
});

test("before a run there is nothing to change", () => {
  expect(bodyOf(told(begun(), key("7")))).toContain("run a scenario on Home");
});

test("where there is room for both, form and answer stand side by side", () => {
  const lines = frame(answer(changed(opened(), "policy.offload.slots", "4")), plainPalette);
  expect(lines.some((line) => /\S+ .* now +change +\+-/.test(line))).toBe(true);
});
