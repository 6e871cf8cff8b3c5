import type { Forecast, SloVerdict } from "../../forecast/forecast.ts";
import type { Tone } from "../../report/widgets/styled-text.ts";

/** How an SLO stands. `open`: its limit is met, and too few samples say so to be sure; `wait`: there is nothing to judge yet. */
export type SloStand = "ok" | "warn" | "FAIL" | "open" | "wait";

/** What an SLO came to, without its interval. */
export const valueAlone = ({ valueText }: SloVerdict): string => valueText.split(" (")[0] ?? valueText;

/** Of a part of a run nothing is told for good: what meets its limit is open, and what has no value waits. */
export function sloStand({ passed, level, value, margin }: SloVerdict, isWhole: boolean): SloStand {
  if (passed) return "ok";
  if (!isWhole && value === null) return "wait";
  if (!isWhole && (margin ?? -1) >= 0) return "open";
  return level === "warn" ? "warn" : "FAIL";
}

export const sloTones: Readonly<Record<SloStand, Tone>> = {
  ok: "good",
  warn: "warn",
  FAIL: "bad",
  open: "dim",
  wait: "dim",
};

/** Whether the deployment keeps up, where it does not or nobody can tell; else nothing. */
export function loadNote({ load }: Forecast): string {
  if (load.verdict === "overloaded") return "overloaded";
  return load.verdict === "tooShort" ? "too short to tell whether it keeps up" : "";
}
