import { screenOf } from "../screens/screens.ts";
import type { AppState } from "./app-state.ts";
import { currentRun } from "./core.ts";
import type { Effect } from "./events.ts";
import { isOpen } from "./run-record.ts";

/** The run whose experts and caches are looked at while it goes on; null: none. Screens that stand still want nothing new. */
export function lookedAt({ screen, core }: AppState): number | null {
  const run = currentRun(core);
  return run !== null && isOpen(run) && !core.frozen && screenOf(screen).looks === true ? run.id : null;
}

/** Has the engine tell of another run than before, or of none any more. */
export function lookOrder(before: AppState, after: AppState): readonly Effect[] {
  const id = lookedAt(after);
  return id === lookedAt(before) ? [] : [{ kind: "engine", order: { kind: "look", id } }];
}
