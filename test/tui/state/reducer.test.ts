import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import type { EngineReport } from "../../../src/tui/engine/messages.ts";
import { globalKeys } from "../../../src/tui/keys/global-keys.ts";
import { namedKeys } from "../../../src/tui/keys/key-name.ts";
import { emptyLibrary } from "../../../src/tui/library/library.ts";
import { screens } from "../../../src/tui/screens/screens.ts";
import type { AppState } from "../../../src/tui/state/app-state.ts";
import { commandNames, commandOf } from "../../../src/tui/state/commands.ts";
import type { Effect, Event } from "../../../src/tui/state/events.ts";
import { lookedAt } from "../../../src/tui/state/looked-at.ts";
import { reduce } from "../../../src/tui/state/reducer.ts";
import { isOpen } from "../../../src/tui/state/run-record.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { drawn } from "../../drawn.ts";
import {
  begun,
  details,
  engine,
  fields,
  forecast,
  key,
  keys,
  looked,
  ofRun,
  ran,
  reports,
  request,
  running,
  started,
  told,
  typing,
} from "../example.ts";

const ids = screens.map(({ id }) => id);
const bound = [...new Set([...globalKeys, ...screens.flatMap((one) => one.keys)].flatMap((binding) => binding.keys))];
const texts = ["", "2", "compare", "quit", "12", "policy", "no such thing", "\u001b[2J", "専門家", "x.yaml", "x.json"];

const run = fc.integer({ min: 1, max: 6 });
const report: fc.Arbitrary<EngineReport> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...reports, fields), run).map(([one, id]) => ofRun(one, id)) },
  run.map((id): EngineReport => ({ kind: "failed", id, message: "refused:\n\u001b[31m one thing" })),
  fc.tuple(run, fc.nat(40)).map(([id, of]): EngineReport => ({ kind: "untraced", id, of, message: "no such request" })),
  fc.tuple(run, fc.nat(40)).map(([id, of]): EngineReport => ({ kind: "tracing", id, of, share: 0.5 })),
);
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(...bound, ...namedKeys, "1", "2", "3", "7", "9", "0", "ß", "ctrl+z").map(key),
  },
  { weight: 5, arbitrary: report.map(engine) },
  { weight: 2, arbitrary: fc.constant(started) },
  { weight: 2, arbitrary: fc.constantFrom(...texts).map((text): Event => ({ kind: "text", text })) },
  fc.constantFrom("enter", "escape").map(key),
  fc.constant<Event>({ kind: "library", library: emptyLibrary }),
  fc.boolean().map((show): Event => ({ kind: "loaded", forecast, file: "saved.json", show })),
  run.map((id): Event => ({ kind: "saved", id, file: "saved.json" })),
  fc.constantFrom(...texts).map((text): Event => ({ kind: "said", text, tone: null })),
  fc
    .record({ width: fc.integer({ min: 1, max: 220 }), height: fc.integer({ min: 1, max: 70 }) })
    .map((size): Event => ({ kind: "resized", size })),
);
const events = fc.array(event, { maxLength: 60 });

/** While a line is typed keys are letters of it, and do not come as keys. An engine says nothing more of a run that has ended. */
function comes(state: AppState, next: Event): boolean {
  if (next.kind === "key") return state.prompt === null;
  if (next.kind !== "engine") return true;
  const record = state.core.runs.find(({ id }) => id === next.report.id);
  if (record === undefined) return true;
  return isOpen(record) || ["tracing", "traced", "untraced"].includes(next.report.kind);
}

/** Events one after the other. */
function happen(list: readonly Event[], seen: (before: AppState, event: Event, after: AppState) => void = () => {}) {
  let state = begun();
  const effects: Effect[] = [];
  for (const next of list) {
    if (!comes(state, next)) continue;
    const reduced = reduce(state, next);
    seen(state, next, reduced.state);
    effects.push(...reduced.effects);
    state = reduced.state;
  }
  return { state, effects };
}

describe("after whatever happens", () => {
  test("the engine has heard last which run is looked at", () => {
    fc.assert(
      fc.property(events, (list) => {
        const { state, effects } = happen(list);
        const looks = effects.flatMap((effect) =>
          effect.kind === "engine" && effect.order.kind === "look" ? [effect.order.id] : [],
        );
        expect(looks.at(-1) ?? null).toBe(lookedAt(state));
        for (const [i, id] of looks.entries()) expect(id).not.toBe(looks[i - 1] ?? null);
      }),
    );
  });

  test("one of the screens is shown, in the size of the terminal", () => {
    fc.assert(
      fc.property(events, (list) => {
        const { state } = happen(list, (_, __, { screen, before, core }) => {
          expect(ids).toContain(screen);
          for (const one of before) expect(ids).toContain(one);
          expect(before.length).toBeLessThanOrEqual(20);
          expect(core.marked.length).toBeLessThanOrEqual(2);
          expect(core.trials.length).toBeLessThanOrEqual(100);
        });
        const { width, height } = state.core.size;
        const lines = frame(state, plainPalette);
        expect(lines.length).toBeLessThanOrEqual(Math.max(1, height - 1));
        for (const line of lines) expect(styledWidth(line)).toBeLessThanOrEqual(width);
      }),
      { numRuns: drawn(200) },
    );
  });

  test("Escape leads to Home", () => {
    fc.assert(
      fc.property(events, (list) => {
        let state = told(happen(list).state, key("escape"));
        for (let i = 0; i < 30; i++) state = told(state, key("escape"), key("escape"));
        expect(state).toMatchObject({ screen: "home", before: [], help: null, prompt: null });
      }),
    );
  });

  test("a run is ordered once, and so is each trial", () => {
    fc.assert(
      fc.property(events, (list) => {
        const { state, effects } = happen(list);
        const ordered = (kind: "engine" | "trial") =>
          effects.flatMap((one) => (one.kind === kind && one.order.kind === "run" ? [one.order.id] : []));
        const runs = state.core.runs.filter(({ stand }) => stand !== "loaded").map(({ id }) => id);
        expect(ordered("engine")).toEqual(runs);
        expect(ordered("trial").slice(-state.core.trials.length || Infinity)).toEqual(
          state.core.trials.map(({ id }) => id),
        );
        const all = [...ordered("engine"), ...ordered("trial")];
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });

  test("a run that has ended stays as it ended", () => {
    fc.assert(
      fc.property(events, (list) => {
        happen(list, (was, _, is) => {
          for (const [i, record] of was.core.runs.entries()) {
            const now = is.core.runs[i]!;
            expect(now.id).toBe(record.id);
            if (!isOpen(record)) expect(now).toMatchObject({ stand: record.stand, forecast: record.forecast });
          }
        });
      }),
    );
  });

  test("the selection of a screen is changed by its own keys, texts and news alone", () => {
    fc.assert(
      fc.property(events, (list) => {
        happen(list, (was, next, is) => {
          for (const id of ids) if (id !== was.screen && id !== is.screen) expect(is.own[id]).toBe(was.own[id]);
          if (next.kind === "said") expect(is.own).toBe(was.own);
        });
      }),
    );
  });
});

describe("going about", () => {
  test("numbers open the screens in their order", () => {
    for (const [i, id] of ids.entries()) expect(told(begun(), key(String((i + 1) % 10))).screen).toBe(id);
  });

  test.each([
    ["tab", ids],
    ["shift+tab", [ids[0]!, ...ids.slice(1).reverse()]],
  ])("%s goes through all of them, and round", (name, order) => {
    let state = begun();
    const seen: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      seen.push(state.screen);
      state = told(state, key(name));
    }
    expect(seen).toEqual(order);
    expect(state.screen).toBe("home");
  });

  test("Escape takes as many steps back as were taken", () => {
    const there = fc.array(fc.constantFrom("tab", "shift+tab", ...ids.map((_, i) => String((i + 1) % 10))), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(there, (list) => {
        const visited = [begun()];
        for (const name of list) {
          const next = told(visited.at(-1)!, key(name));
          if (next.screen !== visited.at(-1)!.screen) visited.push(next);
        }
        let state = visited.at(-1)!;
        for (const { screen } of visited.reverse()) {
          expect(state.screen).toBe(screen);
          state = told(state, key("escape"));
        }
        expect(state).toMatchObject({ screen: "home", before: [] });
      }),
    );
  });

  test("the last twenty steps are kept, and one more leads to Home", () => {
    const far = told(begun(), ...new Array<Event>(57).fill(key("tab")));
    expect(far.before).toHaveLength(20);
    expect(told(far, ...new Array<Event>(21).fill(key("escape")))).toMatchObject({ screen: "home", before: [] });
  });

  test("an unknown key does nothing, and says so", () => {
    for (const id of ids)
      for (const name of ["ß", "ctrl+x", "delete", "`", "専"]) {
        const there = { ...ran(), screen: id };
        const { state, effects } = reduce(there, key(name));
        expect(state).toEqual({ ...there, notice: state.notice });
        expect(state.notice?.text).toContain("does nothing");
        expect(effects).toEqual([]);
      }
  });

  test("the help is filtered by what is typed, and a key goes back to where it was", () => {
    const open = told(ran(), key("2"), key("?"));
    const typed = told(open, ...keys("p", "a", "space", "q", "backspace"));
    expect(typed.help).toEqual({ filter: "pa ", from: 0 });
    expect(told(typed, ...keys("down", "pagedown", "up")).help).toEqual({ filter: "pa ", from: 10 });
    expect(told(typed, key("escape"))).toMatchObject({ help: null, screen: "run" });
    expect(told(open, key("?")).help).toBeNull();
    expect(reduce(typed, key("ctrl+c")).effects).toEqual([{ kind: "quit" }]);
  });
});

describe("lines that are typed", () => {
  test("a command is typed in full, or as far as it is the only one", () => {
    const state = ran();
    for (const name of commandNames(state)) expect(commandOf(state, ` ${name} `)).not.toBeNull();
    expect(commandOf(state, "comp")).toEqual({ kind: "open", screen: "compare" });
    expect(commandOf(state, "")).toBeNull();
    expect(commandOf(state, "c")).toBeNull();
    const asked = told(state, key(":"));
    expect(asked.prompt).toMatchObject({ kind: "command", suggestions: commandNames(state) });
    expect(told(asked, ...typing("led"))).toMatchObject({ screen: "ledger", prompt: null });
    expect(told(asked, ...typing("nonsense")).notice?.text).toContain("nonsense");
    expect(told(asked, ...typing("ledger", false))).toMatchObject({ screen: "run" });
  });

  test("no action of a screen is called as a screen, or as an action of all screens", () => {
    const taken = new Set([...ids, ...globalKeys.map(({ action }) => action)]);
    const clashes = screens.flatMap(({ id, keys: own }) =>
      own.filter(({ action }) => taken.has(action)).map(({ action }) => `${id}.${action}`),
    );
    expect(clashes).toEqual([]);
  });

  test("each letter reaches the screen that asked, and no other", () => {
    const asked = told(begun(), key("/"));
    expect(asked.prompt).toMatchObject({ kind: "filter", value: "" });
    const typed = told(asked, ...typing("quick", false));
    expect(typed.own["home"]).toMatchObject({ filter: "quick" });
    expect(typed.prompt).toMatchObject({ value: "quick" });
    expect(told(typed, ...typing("quick")).prompt).toBeNull();
    const others = Object.entries(typed.own).filter(([id]) => id !== "home");
    for (const [id, own] of others) expect(own).toBe(asked.own[id]);
  });

  test("nothing is typed where nobody asked", () => {
    const state = ran();
    expect(told(state, { kind: "text", text: "x" })).toBe(state);
  });
});

describe("runs", () => {
  const orders = (state: AppState, name: string) =>
    reduce(state, key(name)).effects.flatMap((one) => (one.kind === "engine" ? [one.order] : []));

  test("Enter on a scenario asks for its file once", () => {
    const { effects } = reduce(begun(), key("enter"));
    expect(effects).toEqual([{ kind: "startFile", file: "mine.yaml", settings: [] }]);
  });

  test("Enter on a saved result opens it once, and its file is listed once", () => {
    const at = told(begun(), key("G"));
    expect(reduce(at, key("enter")).effects).toEqual([{ kind: "load", file: "/results/one.json" }]);
    const loaded = told(at, { kind: "loaded", forecast, file: "/results/one.json", show: true });
    expect(loaded).toMatchObject({ screen: "run", core: { current: 1 } });
    expect(loaded.core.runs[0]).toMatchObject({ stand: "loaded", request: null, savedAs: "/results/one.json" });
    const listed = frame({ ...loaded, screen: "home" }, plainPalette).filter((line) => line.includes(" saved "));
    expect(listed).toEqual([]);
  });

  test("n on a scenario, a run and a saved result makes a copy of what was run, with what was laid over it", () => {
    const copyOf = (state: AppState) => {
      const asked = told(state, key("1"), key("n"));
      return reduce(told(asked, ...typing("mine-too.yaml", false)), key("enter")).effects;
    };
    expect(copyOf(begun())).toEqual([{ kind: "copyFile", path: "mine-too.yaml", file: "mine.yaml", settings: [] }]);
    expect(copyOf(ran())).toEqual([{ kind: "writeScenario", path: "mine-too.yaml", request, name: "mine-too" }]);
    const saved = { kind: "copyFile", file: "scenarios/one.yaml", settings: ["traffic.requests=40"] };
    expect(copyOf(told(begun(), key("G")))).toMatchObject([saved]);
    const loaded = told(begun(), { kind: "loaded", forecast, file: "/results/two.json", show: true });
    expect(copyOf(loaded)).toMatchObject([{ kind: "copyFile", file: forecast.scenario.file, settings: [] }]);
  });

  test("r on a saved result runs its scenario with what was laid over it", () => {
    const row = { role: "override", name: "traffic.requests=7", sha256: "" };
    const other = { ...forecast, inputs: [...forecast.inputs, row] };
    const loaded = told(begun(), { kind: "loaded", forecast: other, file: "/results/two.json", show: true });
    expect(reduce(loaded, key("r")).effects).toEqual([
      { kind: "startFile", file: forecast.scenario.file, settings: ["traffic.requests=7"] },
    ]);
    expect(frame(loaded, plainPalette).join("\n")).toContain("--set traffic.requests=7");
  });

  test("a document that is being read is named until it is there, keys do what they do, and Esc ends it first", () => {
    const file = "plan/plan.json";
    const reading = told(begun(), key("2"), { kind: "reading", file });
    const shown = (state: AppState) => frame(state, plainPalette).join("\n");
    expect(shown(reading)).toContain(`reading ${file} ...`);
    const elsewhere = told(reading, key("7"));
    expect(elsewhere.screen).toBe("what-if");
    expect(shown(elsewhere)).toContain(`reading ${file} ...`);
    const ended = reduce(elsewhere, key("escape"));
    expect(ended.effects).toEqual([{ kind: "endLoad" }]);
    expect(ended.state.screen).toBe("what-if");
    expect(shown(ended.state)).not.toContain("reading");
    const back = reduce(ended.state, key("escape"));
    expect([back.state.screen, back.effects]).toEqual(["run", []]);
    expect(shown(told(reading, { kind: "reading", file: null }))).not.toContain("reading");
  });

  test("a run is waiting, running, and done", () => {
    const stands = [started, ...reports.map(engine)].map(
      (_, i, all) => told(begun(), ...all.slice(0, i + 1)).core.runs[0]!.stand,
    );
    expect(stands[0]).toBe("waiting");
    expect(stands.slice(1, -1)).toEqual(reports.slice(0, -1).map(() => "running"));
    expect(stands.at(-1)).toBe("done");
    const stopped = told(
      running(),
      engine({ ...reports.at(-1)!, forecast: { ...forecast, interrupted: true } } as EngineReport),
    );
    expect(stopped.core.runs[0]!.stand).toBe("stopped");
    const failed = told(running(), engine({ kind: "failed", id: 1, message: "refused\nand why" }));
    expect(failed).toMatchObject({ core: { runs: [{ stand: "failed", message: "refused\nand why" }] } });
    expect(failed.notice).toEqual({ text: "refused", tone: "bad" });
  });

  test("one key pauses and goes on", () => {
    expect(orders(running(), "p")).toEqual([{ kind: "pause", paused: true }]);
    const paused = told(running(), key("p"));
    expect(paused.core.runs[0]!.stand).toBe("paused");
    expect(told(paused, engine(reports[1]!)).core.runs[0]!.stand).toBe("paused");
    expect(orders(paused, "p")).toEqual([{ kind: "pause", paused: false }]);
    expect(told(paused, key("p")).core.runs[0]!.stand).toBe("running");
  });

  test("a run that is started goes on, whatever was paused before", () => {
    for (const state of [running(), told(running(), key("p")), told(running(), ...keys("p", "x"))]) {
      const { state: next, effects } = reduce(state, started);
      const [resume, order] = effects.flatMap((one) => (one.kind === "engine" ? [one.order] : []));
      expect(resume).toEqual({ kind: "pause", paused: false });
      expect(order).toMatchObject({ kind: "run", id: 2, live: true });
      expect(next.core.runs.map(({ stand }) => stand)).toEqual(["running", "waiting"]);
    }
  });

  test("all open runs pause and go on together, as their engine does", () => {
    const two = told(running(), started);
    const paused = told(two, key("p"));
    expect(paused.core.runs.map(({ stand }) => stand)).toEqual(["paused", "paused"]);
    expect(told(paused, key("p")).core.runs.map(({ stand }) => stand)).toEqual(["running", "waiting"]);
  });

  test("a run is stopped once, and nothing is ordered after its end", () => {
    expect(orders(running(), "x")).toEqual([{ kind: "stop", id: 1 }]);
    for (const name of ["p", "f", "x"]) {
      expect(orders(ran(), name)).toEqual([]);
      expect(told(ran(), key(name)).notice?.text).toContain("ended");
    }
  });

  test("abort on miss holds until it is taken back", () => {
    expect(orders(running(), "a")).toEqual([{ kind: "abortOnFail", on: true }]);
    const on = told(running(), key("a"));
    expect(on.core.abortOnFail).toBe(true);
    expect(orders(on, "a")).toEqual([{ kind: "abortOnFail", on: false }]);
  });

  test("a frozen screen keeps what it showed until the end", () => {
    const frozen = told(running(), key("f"));
    expect(told(frozen, engine(reports[1]!)).core.runs).toEqual(frozen.core.runs);
    const ended = told(frozen, engine(reports.at(-1)!));
    expect(ended.core).toMatchObject({ frozen: false, runs: [{ stand: "done" }] });
  });

  test("the engine tells of experts and caches of a run that goes on, where a screen shows them", () => {
    expect(orders(running(), "3")).toEqual([{ kind: "look", id: 1 }]);
    const looking = told(running(), key("3"));
    expect(orders(looking, "4")).toEqual([]);
    expect(orders(looking, "2")).toEqual([{ kind: "look", id: null }]);
    expect(reduce(looking, engine(reports.at(-1)!)).effects).toEqual([
      { kind: "engine", order: { kind: "look", id: null } },
    ]);
    expect(orders(ran(), "3")).toEqual([]);
    const frozen = told(running(), key("f"));
    expect(orders(frozen, "3")).toEqual([]);
    expect(told(frozen, engine(looked)).core.runs).toEqual(frozen.core.runs);
  });

  test("of several looks the last one alone is kept, and none beside the details of the end", () => {
    const once = told(running(), engine(looked));
    expect(once.core.runs[0]!.soFar).toBe(looked.details);
    const other = { ...looked, details: { ...looked.details, simulatedNs: 1 } };
    expect(told(running(), engine(other), engine(other), engine(looked)).core).toEqual(once.core);
    expect(told(once, engine(reports.at(-1)!)).core.runs[0]!.soFar).toBeNull();
    expect(told(once, engine({ kind: "failed", id: 1, message: "no" })).core.runs[0]!.soFar).toBeNull();
  });

  test("the same scenario runs again with its settings", () => {
    const [, order] = orders(ran(), "r");
    expect(order).toMatchObject({ kind: "run", id: 2, request });
  });

  test("rates are of the time between two snapshots", () => {
    const [a, b] = reports as Extract<EngineReport, { kind: "snapshot" }>[];
    const { rates } = told(running(), engine(b!)).core.runs[0]!;
    const seconds = (b!.snapshot.simulatedNs - a!.snapshot.simulatedNs) / 1e9;
    expect(rates!.outputTokensPerSecond).toBeCloseTo(
      (b!.snapshot.outputTokens - a!.snapshot.outputTokens) / seconds,
      6,
    );
    expect(rates!.speed).toBeCloseTo((seconds * 1000) / (b!.wallMs - a!.wallMs), 6);
    expect(rates!.hitRate).toBeGreaterThan(0);
    expect(rates!.hitRate).toBeLessThanOrEqual(1);
    for (const share of rates!.linkShares.values()) expect(share).toBeLessThanOrEqual(1);
  });

  test("two results at most are marked, the last ones, and each once", () => {
    const three = told(
      begun(),
      ...[1, 2, 3].map((): Event => ({ kind: "loaded", forecast, file: "saved.json", show: false })),
    );
    const marked = (...list: number[]) =>
      told(three, { kind: "intents", intents: list.map((id) => ({ kind: "mark", run: id })) }).core.marked;
    expect(marked(1, 2, 3)).toEqual([2, 3]);
    expect(marked(1, 2, 1)).toEqual([2]);
    expect(told(three, key("space")).core.marked).toEqual([3]);
  });
});

describe("exports", () => {
  const typed = (state: AppState, text: string) => reduce(told(state, key("e"), ...typing(text, false)), key("enter"));

  test("the ending says whether the scenario or the result is written", () => {
    expect(typed(ran(), " my.yaml ").effects).toEqual([
      { kind: "writeScenario", path: "my.yaml", request, name: "my" },
    ]);
    for (const name of ["my.json", "my.csv", "my.md"])
      expect(typed(ran(), name).effects).toEqual([{ kind: "writeResult", path: name, forecast }]);
    expect(typed(ran(), "").effects).toEqual([]);
  });

  test("what a screen shows beside the result is offered, and written with the command that does the same", () => {
    for (const [screen, path, format] of [
      ["3", "my.details.json", "details"],
      ["4", "my.details.json", "details"],
      ["5", "my.details.json", "details"],
      ["6", "my.requests.csv", "requests"],
    ] as const) {
      const state = told(ran(), key(screen), key("e"));
      expect(state.prompt!.value).toBe(path.replace("my", "screens"));
      expect(state.prompt!.label).toContain(path.replace("my", ""));
      expect(reduce(told(state, ...typing(path, false)), key("enter")).effects).toEqual([
        {
          kind: "writeDetails",
          path,
          format,
          forecast,
          details,
          command: `moecast run ${request.file} --export ${format}=${path}`,
        },
      ]);
    }
    expect(told(ran(), key("2"), key("e")).prompt!.value).toBe("screens.yaml");
  });

  test("details that are not there yet, or not any more, are not written", () => {
    const loaded = told(begun(), { kind: "loaded", forecast, file: "saved.json", show: true });
    const old = { ...ran(), core: { ...ran().core, runs: ran().core.runs.map((one) => ({ ...one, details: null })) } };
    for (const [state, why] of [
      [running(), /no result yet/],
      [loaded, /a saved result keeps figures alone/],
      [old, /not kept any more/],
    ] as const) {
      const { effects, state: after } = typed(state, "my.details.json");
      expect(effects).toEqual([]);
      expect(after.notice!.text).toMatch(why);
      expect(told(state, key("4"), key("e")).prompt!.value).not.toContain("details");
    }
  });

  test("what is not there is not written", () => {
    expect(told(begun(), key("e"))).toMatchObject({ prompt: null, notice: { tone: "warn" } });
    expect(typed(running(), "my.json")).toMatchObject({ effects: [], state: { notice: { tone: "warn" } } });
    const loaded = told(begun(), { kind: "loaded", forecast, file: "saved.json", show: true });
    expect(typed(loaded, "my.yaml")).toMatchObject({ effects: [], state: { notice: { tone: "warn" } } });
  });
});
