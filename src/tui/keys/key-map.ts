import type { AnyScreen, KeyBinding } from "../screens/screen.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "./global-keys.ts";

/** Keys by action: `quit`, `run.pause`. What is not named keeps its own. */
export type KeyMap = ReadonlyMap<string, readonly string[]>;

/** What an action of a screen is called in a key file; those of all screens have no dot. */
export const actionName = (screen: string | null, action: string): string =>
  screen === null ? action : `${screen}.${action}`;

/** The keys of a binding, as the file has them. */
export const keysOf = (map: KeyMap, screen: string | null, { action, keys }: KeyBinding): readonly string[] =>
  map.get(actionName(screen, action)) ?? keys;

/** The action of a key on a screen; those of the screen come first. null for a key that does nothing. */
export function actionOf(
  map: KeyMap,
  { id, keys }: AnyScreen,
  key: string,
): { readonly own: boolean; readonly action: string } | null {
  for (const binding of keys)
    if (keysOf(map, isCommon(binding) ? null : id, binding).includes(key)) return { own: true, action: binding.action };
  for (const binding of globalKeys)
    if (keysOf(map, null, binding).includes(key)) return { own: false, action: binding.action };
  return null;
}

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
