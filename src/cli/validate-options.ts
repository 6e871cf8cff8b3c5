import type { LeaveOut } from "../validate/serving/leave-out.ts";
import type { ErrorLimit } from "./error-limit.ts";
import type { LiveOptions } from "./validate-live.ts";

/** Options of `validate`, in whatever mode. */
export interface ValidateOptions extends LiveOptions {
  readonly live?: boolean;
  readonly serving?: string;
  readonly kernels?: readonly string[];
  readonly run?: string;
  readonly against?: string;
  readonly scenario?: string;
  readonly set?: readonly string[];
  readonly leaveOut?: Exclude<LeaveOut, null>;
  readonly observed?: string;
  /** Which run of a file that holds several, from 1. */
  readonly runIndex?: number;
  readonly load?: "scenario" | "measured";
  readonly acceptDifferences?: boolean;
  readonly filter?: readonly string[];
  readonly json?: boolean;
  readonly maxError?: ErrorLimit;
  readonly export?: readonly string[];
  readonly mkdir?: boolean;
}
