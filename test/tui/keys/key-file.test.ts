import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "../../../src/tui/keys/global-keys.ts";
import { readKeyMap } from "../../../src/tui/keys/key-file.ts";
import { actionName, isCommon, keysOf } from "../../../src/tui/keys/key-map.ts";
import { screens } from "../../../src/tui/screens/screens.ts";

const read = (json: unknown) =>
  readKeyMap(typeof json === "string" ? json : JSON.stringify(json), "keys.json", screens);

/** What is said of a file that cannot be used. */
function refusal(json: unknown): string {
  try {
    read(json);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as Error).message;
  }
  throw new Error("it was taken");
}

describe("a key file", () => {
  test("names keys by action", () => {
    expect(read({})).toEqual(new Map());
    expect(read({ quit: ["Q", "ctrl+x"], "run.pause": ["space"], up: ["W"] })).toEqual(
      new Map([
        ["quit", ["Q", "ctrl+x"]],
        ["run.pause", ["space"]],
        ["up", ["W"]],
      ]),
    );
  });

  test("may state all keys as they are", () => {
    const common = [...globalKeys, ...moveKeys, ...sidewaysKeys].map((binding) => [null, binding] as const);
    const own = screens.flatMap(({ id, keys }) =>
      keys.filter((key) => !isCommon(key)).map((key) => [id, key] as const),
    );
    const stated = Object.fromEntries(
      [...common, ...own].map(([id, binding]) => [actionName(id, binding.action), binding.keys]),
    );
    const map = read(stated);
    for (const [id, binding] of [...common, ...own]) expect(keysOf(map, id, binding)).toEqual(binding.keys);
  });

  test("may name a key twice", () => {
    expect(read({ quit: ["Y", "Y"] }).size).toBe(1);
  });

  test("may swap two actions", () => {
    expect(read({ "run.pause": ["x"], "run.stop": ["p"] }).size).toBe(2);
  });
});

describe("refused with place, expectation and value is", () => {
  test.each([
    [{ quitt: ["x"] }, 'keys.json: quitt: expected an action, such as quit, found "quitt"'],
    [{ "run.quit": ["x"] }, 'keys.json: run.quit: expected an action, found "run.quit"'],
    [{ "run.up": ["x"] }, /^keys\.json: run\.up: expected an action/],
    [{ quit: ["F13"] }, /^keys\.json: quit: expected a character, ctrl\+ with one, or one of up, .*, found "F13"$/],
    [{ quit: [""] }, /^keys\.json: quit: expected a character.*, found /],
    [{ quit: [" "] }, /^keys\.json: quit: expected a character/],
    [{ quit: ["\u001b"] }, /^keys\.json: quit: expected a character/],
    [{ quit: ["\u202e"] }, /^keys\.json: quit: expected a character/],
    [{ quit: ["tab"] }, 'keys.json: quit: expected a key that next does not have, found "tab"'],
    [{ quit: ["p"] }, 'keys.json: quit: expected a key that run.pause does not have, found "p"'],
    [{ "run.stop": ["p"] }, 'keys.json: run.stop: expected a key that run.pause does not have, found "p"'],
    [
      { "run.stop": ["q"] },
      /^keys\.json: (run\.stop|quit): expected a key that (quit|run\.stop) does not have, found "q"$/,
    ],
    [{ "run.stop": ["ctrl+c"] }, 'keys.json: run.stop: expected a key that quit does not have, found "ctrl+c"'],
    [
      { quit: ["Q"], suspend: ["ctrl+c"] },
      'keys.json: suspend: expected a key that quit does not have, found "ctrl+c"',
    ],
    [{ quit: "q" }, /^keys\.json: the key file: expected lists of keys by action/],
    [[], /^keys\.json: the key file: expected lists of keys by action/],
    [null, /^keys\.json: the key file/],
    [{ quit: new Array(9).fill("x") }, /^keys\.json: the key file/],
    ["{", /^keys\.json/],
    ['{"__proto__": ["x"]}', /^keys\.json: __proto__: expected an ordinary key/],
    ['{"constructor": ["x"]}', /^keys\.json: constructor: expected an ordinary key/],
  ] as const)("%j", (json, expected) => {
    const found = refusal(json);
    const mine = found.split("\n");
    expect(mine).toHaveLength(new Set(mine).size);
    if (typeof expected === "string") expect(mine).toContain(expected);
    else expect(found).toMatch(expected);
  });

  test("all that is wrong, at once", () => {
    expect(refusal({ nonsense: ["x"], quit: ["F13"] }).split("\n")).toHaveLength(2);
  });
});

test("whatever a file holds, it is read or refused in words of one line each", () => {
  const names = fc.oneof(fc.constantFrom("quit", "run.pause", "up", "__proto__", "toString"), fc.string());
  const keys = fc.array(fc.oneof(fc.constantFrom("q", "tab", "ctrl+c"), fc.string({ unit: "binary" })), {
    maxLength: 9,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.dictionary(names, keys).map((file) => JSON.stringify(file)),
      ),
      (text) => {
        try {
          const map = readKeyMap(text, "keys.json", screens);
          for (const [, list] of map) for (const key of list) expect(key).toMatch(/^[^\s\p{Cc}\p{Cf}\p{Cs}]+$/u);
        } catch (error) {
          if (!(error instanceof InvalidInputError)) throw error;
          for (const line of error.message.split("\n")) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
        }
      },
    ),
  );
});
