import { describe, expect, test } from "vitest";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { globalKeys, moved, moveKeys, sidewaysKeys } from "../../../src/tui/keys/global-keys.ts";
import { actionName, actionOf, isCommon, keyLabel, keysOf } from "../../../src/tui/keys/key-map.ts";
import { namedKeys } from "../../../src/tui/keys/key-name.ts";
import type { AnyScreen } from "../../../src/tui/screens/screen.ts";
import { screens } from "../../../src/tui/screens/screens.ts";
import { reduce } from "../../../src/tui/state/reducer.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { unicode } from "../../report/widgets/frames.ts";
import { begun, key, keys, ran, told } from "../example.ts";

const own: KeyMapOf = new Map();
type KeyMapOf = ReadonlyMap<string, readonly string[]>;
const all = [...globalKeys, ...moveKeys, ...sidewaysKeys];
const ofScreens = screens.flatMap((screen) => screen.keys.map((binding) => ({ screen, binding })));

describe.each(screens.map((screen) => [screen.id, screen] as const))("the screen %s", (_, screen: AnyScreen) => {
  const bound = screen.keys.flatMap((binding) => binding.keys);

  test("binds no key twice, none of all screens, and no number", () => {
    expect(bound).toEqual([...new Set(bound)]);
    const taken = new Set(globalKeys.flatMap((binding) => binding.keys));
    expect(bound.filter((name) => taken.has(name) || /^\d$/.test(name))).toEqual([]);
  });

  test("has one action of a name, with keys that there are and words for the help", () => {
    const actions = screen.keys.map(({ action }) => action);
    expect(actions).toEqual([...new Set(actions)]);
    for (const { action, keys: names, help } of screen.keys) {
      expect(action).toMatch(/^[a-z][a-zA-Z]*$/);
      expect(help.length).toBeGreaterThan(1);
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect(namedKeys.includes(name) || /^(ctrl\+)?[!-~]$/.test(name), name).toBe(true);
    }
  });

  test("is named by its keys: each leads to its action", () => {
    for (const { action, keys: names } of screen.keys)
      for (const name of names) expect(actionOf(own, screen, name)).toEqual({ own: true, action });
    for (const { action, keys: names } of globalKeys)
      for (const name of names) expect(actionOf(own, screen, name)).toEqual({ own: false, action });
    expect(actionOf(own, screen, "ß")).toBeNull();
  });

  test("has keys that its footer and the help name", () => {
    const state = { ...ran({ width: 400, height: 200 }), screen: screen.id };
    const footer = frame(state, unicode).at(-1)!;
    const help = frame(told(state, key("?")), unicode).join("\n");
    for (const binding of screen.keys) {
      if (isCommon(binding)) continue;
      if (binding.quiet !== true) expect(footer).toContain(`${keyLabel(binding.keys[0]!)} ${binding.help}`);
      for (const name of binding.keys) expect(help).toContain(keyLabel(name));
      expect(help).toContain(binding.help);
    }
    for (const { help: text } of all) expect(help).toContain(text);
  });
});

test("the footer always names help and quit, back where there is room, and as many keys of the screen as there is room for", () => {
  for (const width of [10, 40, 80, 120]) {
    const footer = frame(begun({ width, height: 24 }), plainPalette).at(-1)!;
    expect(footer.length).toBeLessThanOrEqual(width);
    if (width >= 40) expect(footer).toContain(width < 100 ? "? all keys  q quit" : "? all keys  Esc back  q quit");
    if (width >= 80) expect(footer).toContain("Enter run or open");
  }
});

test("other keys take the place of own ones, on the screen that they name or on all", () => {
  const map = new Map([
    ["quit", ["Q"]],
    ["run.pause", ["space"]],
    ["down", ["n"]],
  ]);
  const state = { ...begun(undefined, map) };
  expect(reduce(state, key("q")).effects).toEqual([]);
  expect(reduce(state, key("Q")).effects).toEqual([{ kind: "quit" }]);
  const home = screens[0]!;
  expect(actionOf(map, home, "j")).toBeNull();
  expect(actionOf(map, home, "n")).not.toBeNull();
  const run = screens.find(({ id }) => id === "run")!;
  expect(actionOf(map, run, "p")).toBeNull();
  expect(actionOf(map, run, "space")).toEqual({ own: true, action: "pause" });
  expect(actionOf(map, home, "space")).toEqual({ own: true, action: "mark" });
  const shown = { ...ran({ width: 300, height: 100 }), keys: map };
  const footer = frame(told(shown, key("2")), unicode).at(-1)!;
  expect(footer).toContain("Space pause");
  expect(footer).toContain("Q quit");
  const help = frame(told(shown, key("2"), key("?")), unicode).join("\n");
  expect(help).toMatch(/Space\s+pause/);
  expect(help).toMatch(/ n\s+down/);
});

test("the help finds keys by what they do, where they are and what they are called", () => {
  const lines = (text: string) => {
    const typed = keys(...Array.from(text, (char) => (char === " " ? "space" : char)));
    return frame(told(ran({ width: 120, height: 60 }), key("2"), key("?"), ...typed), plainPalette).join("\n");
  };
  expect(lines("abort on")).toContain("abort on miss");
  expect(lines("abort on")).not.toContain("run again");
  expect(lines("shift+tab")).toContain("previous screen");
  expect(lines("compare")).toContain("swap");
});

test("keys are named as they are written on them, in ASCII where there is no more", () => {
  expect(["up", "enter", "shift+tab", "pageup", "ctrl+l", "g"].map((name) => keyLabel(name))).toEqual([
    "↑",
    "Enter",
    "Shift+Tab",
    "PgUp",
    "Ctrl+l",
    "g",
  ]);
  expect(["up", "left", "pageup", "pagedown"].map((name) => keyLabel(name, false))).toEqual([
    "up",
    "left",
    "PgUp",
    "PgDn",
  ]);
});

test("an action is called by its screen, but for those of all screens", () => {
  expect(actionName("run", "pause")).toBe("run.pause");
  expect(actionName(null, "quit")).toBe("quit");
  for (const { screen, binding } of ofScreens)
    expect(keysOf(new Map([[actionName(screen.id, binding.action), ["F"]]]), screen.id, binding)).toEqual(["F"]);
});

test("a selection moves by one, by pages and to the ends, and stays among what there is", () => {
  expect(moved(3, "up", 10, 4)).toBe(2);
  expect(moved(3, "pageDown", 10, 4)).toBe(7);
  expect(moved(9, "down", 10, 4)).toBe(9);
  expect(moved(0, "up", 10, 4)).toBe(0);
  expect(moved(3, "last", 10, 4)).toBe(9);
  expect(moved(3, "first", 10, 4)).toBe(0);
  expect(moved(3, "sort", 10, 4)).toBe(3);
  expect(moved(30, "sort", 10, 4)).toBe(9);
  expect(moved(3, "down", 0, 4)).toBe(0);
  expect(moved(3, "pageUp", 10, 0)).toBe(2);
});

test("Ctrl+C leaves on every screen, over the help too, whatever keys a file gives to quit", () => {
  for (const quit of [["Q"], ["Q", "ctrl+c"], []]) {
    const map = new Map([["quit", quit]]);
    for (const { id } of screens) {
      const state = { ...ran({ width: 300, height: 40 }), keys: map, screen: id };
      expect(reduce(state, key("q")).effects).not.toContainEqual({ kind: "quit" });
      expect(reduce(state, key("ctrl+c")).effects).toContainEqual({ kind: "quit" });
      expect(reduce(told(state, key("?")), key("ctrl+c")).effects).toContainEqual({ kind: "quit" });
      expect(frame(state, unicode).at(-1)).toContain(`${quit[0] ?? "Ctrl+c"} quit`.replace("ctrl", "Ctrl"));
    }
    expect(keysOf(map, null, globalKeys.find(({ action }) => action === "quit")!)).toEqual(
      ["Q", "ctrl+c"].slice(quit.length === 0 ? 1 : 0),
    );
  }
});

test("what belongs to the terminal is done on every screen, over the help and while a line is typed, by its own keys", () => {
  const map = new Map([["suspend", ["ctrl+x"]]]);
  for (const [action, name, keyMap] of [
    ["suspend", "ctrl+z", own],
    ["suspend", "ctrl+x", map],
    ["redraw", "ctrl+l", own],
  ] as const)
    for (const before of [[], ["?"], ["?", "a"], [":"]]) {
      const state = told({ ...ran(), keys: keyMap }, ...keys(...before));
      const { state: after, effects } = reduce(state, key(name));
      expect(effects).toEqual([{ kind: action }]);
      expect(after).toEqual(state);
    }
  const typing = told({ ...ran(), keys: map }, key(":"));
  expect(reduce(typing, key("ctrl+z"))).toEqual({ state: typing, effects: [] });
  for (const name of ["q", "?"])
    expect(reduce(typing, key(name))).toMatchObject({ state: { prompt: { value: name } }, effects: [] });
});
