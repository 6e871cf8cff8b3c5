import { z } from "zod";
import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { closest } from "../../core/suggest.ts";
import type { AnyScreen, KeyBinding } from "../screens/screen.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "./global-keys.ts";
import { namedKeys } from "./key-name.ts";

/** Keys by action: `quit`, `run.pause`. What is not named keeps its own. */
export type KeyMap = ReadonlyMap<string, readonly string[]>;

const keyFile = z.record(z.string(), z.array(z.string()).max(8));

/** What an action of a screen is called in a key file; those of all screens have no dot. */
const nameOf = (screen: string | null, action: string): string => (screen === null ? action : `${screen}.${action}`);

/**
 * Reads a key file: JSON with lists of keys by action. Throws InvalidInputError for unknown actions and keys, and for a key that two
 * actions of a screen would have.
 */
export function readKeyMap(text: string, file: string, screens: readonly AnyScreen[]): KeyMap {
  const json: Json = parseJson(text, file);
  const parsed = keyFile.safeParse(json);
  if (!parsed.success)
    throw new InvalidInputError([
      { file, at: "the key file", expected: 'lists of keys by action, such as {"quit": ["q"]}', found: json },
    ]);
  const common = [...globalKeys, ...moveKeys, ...sidewaysKeys];
  const known = [
    ...common.map(({ action }) => nameOf(null, action)),
    ...screens.flatMap(({ id, keys }) => keys.map(({ action }) => nameOf(id, action))),
  ];
  const problems: Problem[] = Object.entries(parsed.data).flatMap(([name, keys]): Problem[] => {
    const near = closest(name, known);
    if (!known.includes(name))
      return [{ file, at: name, expected: near === null ? "an action" : `an action, such as ${near}`, found: name }];
    return keys
      .filter((key) => !isKey(key))
      .map((key) => ({
        file,
        at: name,
        expected: `a character, ctrl+ with one, or one of ${namedKeys.join(", ")}`,
        found: key,
      }));
  });
  const map: KeyMap = new Map(Object.entries(parsed.data));
  for (const { id, keys } of screens) {
    const taken = new Map<string, string>();
    for (const [name, binding] of [
      ...keys.map((binding) => [nameOf(id, binding.action), binding] as const),
      ...globalKeys.map((binding) => [binding.action, binding] as const),
    ])
      for (const key of map.get(name) ?? binding.keys) {
        const other = taken.get(key);
        if (other !== undefined && (map.has(name) || map.has(other)))
          problems.push({ file, at: name, expected: `a key that ${other} does not have`, found: key });
        else taken.set(key, name);
      }
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return map;
}

const isKey = (key: string): boolean => namedKeys.includes(key) || /^(?:ctrl\+)?[^\s]$/u.test(key);

/** The keys of a binding, as the file has them. */
export const keysOf = (map: KeyMap, screen: string | null, { action, keys }: KeyBinding): readonly string[] =>
  map.get(nameOf(screen, action)) ?? keys;

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
  (unicode || !/up|down|left|right/.test(key) ? shown[key] : undefined) ?? key.replace("ctrl+", "Ctrl+");
