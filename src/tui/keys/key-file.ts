import { z } from "zod";
import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { closest } from "../../core/suggest.ts";
import type { AnyScreen } from "../screens/screen.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "./global-keys.ts";
import { actionName, isCommon, type KeyMap } from "./key-map.ts";
import { namedKeys } from "./key-name.ts";

const keyFile = z.record(z.string(), z.array(z.string()).max(8));

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
    ...common.map(({ action }) => actionName(null, action)),
    ...screens.flatMap(({ id, keys }) =>
      keys.filter((key) => !isCommon(key)).map(({ action }) => actionName(id, action)),
    ),
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
      ...keys.map((binding) => [actionName(isCommon(binding) ? null : id, binding.action), binding] as const),
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
