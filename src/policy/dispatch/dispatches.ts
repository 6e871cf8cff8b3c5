import type { DispatchPolicy } from "./dispatch.ts";
import { roundRobinDispatch } from "./round-robin.ts";

/** Rules that choose among the copies of an expert, by the name a scenario uses. */
export const dispatches = {
  "round-robin": roundRobinDispatch,
} as const satisfies Record<string, DispatchPolicy>;

export type DispatchName = keyof typeof dispatches;
