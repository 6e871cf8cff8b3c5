import fc from "fast-check";
import { expect, test } from "vitest";
import { keyName, namedKeys, type PressedKey } from "../../../src/tui/keys/key-name.ts";

const flags = [
  "upArrow",
  "downArrow",
  "leftArrow",
  "rightArrow",
  "pageUp",
  "pageDown",
  "home",
  "end",
  "return",
  "escape",
  "tab",
  "backspace",
  "delete",
  "ctrl",
  "shift",
  "meta",
] as const;

/** As Ink describes a key, with some flags set. */
const pressed = (...set: readonly (typeof flags)[number][]): PressedKey =>
  Object.fromEntries(flags.map((flag) => [flag, set.includes(flag)])) as unknown as PressedKey;

test.each([
  ["up", pressed("upArrow")],
  ["down", pressed("downArrow")],
  ["left", pressed("leftArrow")],
  ["right", pressed("rightArrow")],
  ["pageup", pressed("pageUp")],
  ["pagedown", pressed("pageDown")],
  ["home", pressed("home")],
  ["end", pressed("end")],
  ["enter", pressed("return")],
  ["escape", pressed("escape", "meta")],
  ["tab", pressed("tab")],
  ["shift+tab", pressed("tab", "shift")],
  ["backspace", pressed("backspace")],
  ["delete", pressed("delete")],
] as const)("%s", (name, key) => {
  expect(keyName("", key)).toBe(name);
  expect(namedKeys).toContain(name);
});

test("a character is its own name, with ctrl before it where that is held", () => {
  expect(keyName("a", pressed())).toBe("a");
  expect(keyName("G", pressed("shift"))).toBe("G");
  expect(keyName("?", pressed("shift"))).toBe("?");
  expect(keyName("専", pressed())).toBe("専");
  expect(keyName("🚀", pressed())).toBe("🚀");
  expect(keyName("l", pressed("ctrl"))).toBe("ctrl+l");
  expect(keyName(" ", pressed())).toBe("space");
});

test("pasted text, a letter with Alt, and control characters are no keys", () => {
  expect(keyName("pasted", pressed())).toBeNull();
  expect(keyName("", pressed())).toBeNull();
  expect(keyName("x", pressed("meta"))).toBeNull();
  for (const control of ["\n", "\u0000", "\u001b", "\u007f", "\u009b", "\u202e", "\ud800"])
    expect(keyName(control, pressed())).toBeNull();
});

test("a name is one printable word, whatever is pressed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 3 }), fc.subarray([...flags]), (input, set) => {
      const name = keyName(input, pressed(...set));
      if (name !== null) expect(name).toMatch(/^[^\s\p{Cc}\p{Cf}\p{Cs}]+$/u);
    }),
    { numRuns: 400 },
  );
});
