import type { AnyScreen, KeyBinding } from "../screens/screen.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "./global-keys.ts";

/** Keys by action: `quit`, `run.pause`. What is not named keeps its own. */
export type KeyMap = ReadonlyMap<string, readonly string[]>;

/** What an action of a screen is called in a key file; those of all screens have no dot. */
export const actionName = (screen: string | null, action: string): string =>
  screen === null ? action : `${screen}.${action}`;

/** Keys that no file takes from an action: whoever sits before screens that somebody else set up gets out of them. */
const kept: ReadonlyMap<string, readonly string[]> = new Map([["quit", ["ctrl+c"]]]);

/** The keys of a binding, as the file has them. */
export function keysOf(map: KeyMap, screen: string | null, { action, keys }: KeyBinding): readonly string[] {
  const name = actionName(screen, action);
  const given = map.get(name);
  return given === undefined ? keys : [...new Set([...given, ...(kept.get(name) ?? [])])];
}

/** The action of a key on a screen; those of the screen come first. null for a key that does nothing. */
export function actionOf(
  map: KeyMap,
  { id, keys }: AnyScreen,
  key: string,
): { readonly own: boolean; readonly action: string } | null {
  for (const binding of keys)
    if (keysOf(map, isCommon(binding) ? null : id, binding).includes(key)) return { own: true, action: binding.action };
  const action = globalActionOf(map, key);
  return action === null ? null : { own: false, action };
}

/** The action of a key that all screens have; null for one that they do not. */
export const globalActionOf = (map: KeyMap, key: string): string | null =>
  globalKeys.find((binding) => keysOf(map, null, binding).includes(key))?.action ?? null;

const common = new Set<KeyBinding>([...moveKeys, ...sidewaysKeys]);

/** Whether a binding is one that screens have in common, and that a key file names once for all. */
export const isCommon = (binding: KeyBinding): boolean => common.has(binding);

const shown: Readonly<Record<string, string>> = {
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  enter: "Enter",
  escape: "Esc",
  tab: "Tab",
  "shift+tab": "Shift+Tab",
  space: "Space",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
};

/** A key as screens name it. */
export const keyLabel = (key: string, unicode = true): string =>
  (unicode || !/^(?:up|down|left|right)$/.test(key) ? shown[key] : undefined) ?? key.replace("ctrl+", "Ctrl+");
