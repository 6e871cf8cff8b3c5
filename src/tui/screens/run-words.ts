import type { Core } from "../state/core.ts";
import { isOpen, type RunRecord } from "../state/run-record.ts";

/** What figures of a run that goes on are of; null for one that has ended. */
export const soFarWords = (run: RunRecord): string | null => (isOpen(run) ? `so far, ${run.stand}` : null);

/** Why a run that has ended shows figures alone, and what would bring the rest. */
export const fewDetailsWords = ({ stand }: RunRecord): string =>
  stand === "loaded"
    ? "a saved result keeps figures alone: run its scenario from Home (1)"
    : "its details are not kept any more, only those of the last runs: r on Run (2) runs it again";

/** What is waited for where nothing of a run that goes on was counted yet. */
export function comingWords({ snapshot }: RunRecord, { frozen }: Core): string {
  if (snapshot === null) return "The run reads its inputs.";
  return frozen ? "The screens stand still: f on Run (2) lets them go on." : "What happened so far is being counted.";
}
