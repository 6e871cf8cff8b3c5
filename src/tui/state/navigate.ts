import { screens } from "../screens/screens.ts";
import type { AppState } from "./app-state.ts";
import { only, type Reduced } from "./events.ts";

/** To the screen before, or to the first. */
export function back(state: AppState): Reduced {
  const last = state.before.at(-1);
  if (last === undefined) return only({ ...state, screen: screens[0]!.id });
  return only({ ...state, screen: last, before: state.before.slice(0, -1) });
}

/** Screens to go back to at most. */
const beforeMax = 20;

/** To the screen of an id. */
export function opened(state: AppState, id: string | undefined): Reduced {
  if (id === undefined || id === state.screen) return only(state);
  return only({ ...state, screen: id, before: [...state.before, state.screen].slice(-beforeMax) });
}
