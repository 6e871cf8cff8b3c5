import { z } from "zod";
import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { closest } from "../../core/suggest.ts";
import type { AnyScreen } from "../screens/screen.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "./global-keys.ts";
import { actionName, isCommon, type KeyMap, keysOf } from "./key-map.ts";
import { isCharacter, namedKeys } from "./key-name.ts";

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
  const clashes = new Set<string>();
  for (const { id, keys } of screens) {
    const taken = new Map<string, string>();
    for (const [of, binding] of [
      ...keys.map((binding) => [isCommon(binding) ? null : id, binding] as const),
      ...globalKeys.map((binding) => [null, binding] as const),
    ]) {
      const name = actionName(of, binding.action);
      for (const key of keysOf(map, of, binding)) {
        const other = taken.get(key) ?? name;
        taken.set(key, other);
        // Two actions that all screens have clash on each of them: once is enough to say so.
        if (other === name || !(map.has(name) || map.has(other)) || clashes.has(`${name} ${key}`)) continue;
        clashes.add(`${name} ${key}`);
        // The place is where the file names the key.
        const [at, has] = map.get(name)?.includes(key) ? [name, other] : [other, name];
        problems.push({ file, at, expected: `a key that ${has} does not have`, found: key });
      }
    }
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return map;
}

const isKey = (key: string): boolean => namedKeys.includes(key) || isCharacter(key.replace(/^ctrl\+(?=.)/u, ""));
