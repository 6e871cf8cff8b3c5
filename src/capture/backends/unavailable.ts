import { exitCodes, MoecastError } from "../../core/errors.ts";

/** A backend that cannot be used here: not installed, or without its driver or device. One line that says what to do. */
export class BackendUnavailable extends MoecastError {
  readonly exitCode = exitCodes.infeasible;
  override readonly name = "BackendUnavailable";
}
