import type { KeyBinding } from "../screens/screen.ts";

/** Keys of every screen. Those of the screen itself come first. */
export const globalKeys: readonly KeyBinding[] = [
  { action: "help", keys: ["?"], help: "all keys" },
  { action: "command", keys: [":"], help: "type a command", quiet: true },
  { action: "export", keys: ["e"], help: "export", quiet: true },
  { action: "back", keys: ["escape"], help: "back" },
  { action: "next", keys: ["tab"], help: "next screen", quiet: true },
  { action: "previous", keys: ["shift+tab"], help: "previous screen", quiet: true },
  { action: "redraw", keys: ["ctrl+l"], help: "draw the screen anew", quiet: true },
  { action: "suspend", keys: ["ctrl+z"], help: "suspend, until fg in the shell", quiet: true },
  { action: "quit", keys: ["q", "ctrl+c"], help: "quit" },
];

/** Keys by which selections move, on every screen that has one. */
export const moveKeys: readonly KeyBinding[] = [
  { action: "up", keys: ["up", "k"], help: "up", quiet: true },
  { action: "down", keys: ["down", "j"], help: "down", quiet: true },
  { action: "pageUp", keys: ["pageup", "ctrl+b"], help: "a page up", quiet: true },
  { action: "pageDown", keys: ["pagedown", "ctrl+f"], help: "a page down", quiet: true },
  { action: "first", keys: ["home", "g"], help: "to the first", quiet: true },
  { action: "last", keys: ["end", "G"], help: "to the last", quiet: true },
];

/** Keys by which a view of two dimensions moves sideways. */
export const sidewaysKeys: readonly KeyBinding[] = [
  { action: "left", keys: ["left", "h"], help: "left", quiet: true },
  { action: "right", keys: ["right", "l"], help: "right", quiet: true },
];

/** Where a selection among `count` is after a move; unchanged for other actions. */
export function moved(at: number, action: string, count: number, page: number): number {
  const to = {
    up: at - 1,
    down: at + 1,
    pageUp: at - Math.max(1, page),
    pageDown: at + Math.max(1, page),
    first: 0,
    last: count - 1,
  }[action];
  return Math.max(0, Math.min(count - 1, to ?? at));
}
