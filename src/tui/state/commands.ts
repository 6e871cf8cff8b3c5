import { globalKeys } from "../keys/global-keys.ts";
import { isCommon } from "../keys/key-map.ts";
import { screenOf, screens } from "../screens/screens.ts";
import type { AppState } from "./app-state.ts";

/** What a typed command does. */
export type Command =
  | { readonly kind: "open"; readonly screen: string }
  | { readonly kind: "own"; readonly action: string }
  | { readonly kind: "global"; readonly action: string };

/** Commands of the screen that is shown, of all screens, and the screens themselves, by name. */
function commandsOf(state: AppState): ReadonlyMap<string, Command> {
  const { keys } = screenOf(state.screen);
  return new Map<string, Command>([
    ...globalKeys.map(({ action }) => [action, { kind: "global", action }] as const),
    ...screens.map(({ id }) => [id, { kind: "open", screen: id }] as const),
    ...keys.filter((key) => !isCommon(key)).map(({ action }) => [action, { kind: "own", action }] as const),
  ]);
}

/** What may be typed. */
export const commandNames = (state: AppState): string[] => [...commandsOf(state).keys()].sort();

/** The command of a text, or the only one that begins with it; null where there is none. */
export function commandOf(state: AppState, text: string): Command | null {
  const commands = commandsOf(state);
  const word = text.trim();
  if (word === "") return null;
  const exact = commands.get(word);
  if (exact !== undefined) return exact;
  const begun = [...commands].filter(([name]) => name.toLowerCase().startsWith(word.toLowerCase()));
  return begun.length === 1 ? begun[0]![1] : null;
}
