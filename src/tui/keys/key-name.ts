/** The part of Ink's description of a key that names are made from. */
export interface PressedKey {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageUp: boolean;
  readonly pageDown: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
}

const named = {
  upArrow: "up",
  downArrow: "down",
  leftArrow: "left",
  rightArrow: "right",
  pageUp: "pageup",
  pageDown: "pagedown",
  home: "home",
  end: "end",
  return: "enter",
  tab: "tab",
  backspace: "backspace",
  delete: "delete",
  escape: "escape",
} as const satisfies Partial<Record<keyof PressedKey, string>>;

/** Names that a key file may use, beside single characters and `ctrl+` with one. */
export const namedKeys: readonly string[] = [...Object.values(named), "space", "shift+tab"];

/** Whether a text is one character that is seen. */
export const isCharacter = (text: string): boolean => /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(text);

/** The name of a key: `a`, `enter`, `shift+tab`, `ctrl+l`; null for what is none, as pasted text. */
export function keyName(input: string, key: PressedKey): string | null {
  for (const [flag, name] of Object.entries(named) as [keyof typeof named, string][])
    if (key[flag]) return key.shift && name === "tab" ? "shift+tab" : name;
  if (input === " ") return "space";
  if (!isCharacter(input)) return null;
  if (key.ctrl) return `ctrl+${input}`;
  return key.meta ? null : input;
}
