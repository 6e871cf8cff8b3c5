import type { LayerCall } from "../routing/layer-call.ts";

/**
 * Who follows a step through the layers of a stage: it is told, and changes nothing. How long things take it reads off the
 * accounts, where they have been booked when it is told. Times are ns after the start of the stage.
 */
export interface StageWatch {
  /** What is booked from now on belongs to the step: it begins, or goes on after others could book. */
  resumes(): void;
  /** [data-parallel ranks] Each has mixed the tokens of a layer, and computed its dense network if it has one. */
  mixed(clockNs: Float64Array): void;
  /** The tokens of a layer are on their way to its experts, for which the step may pause. */
  dispatched(): void;
  /** A layer is over. `call`: the work of its experts from `beginNs` on; null where it has none. */
  layerEnds(layer: number, clockNs: Float64Array, call: LayerCall | null, beginNs: number): void;
  /** `times` more layers like the last one follow, and are booked. */
  repeats(times: number): void;
  /** Something was booked that belongs to no layer. */
  outside(): void;
}

/** The same for a step on its way from stage to stage. Times of these are ns after the first arrival. */
export interface FlightWatch extends StageWatch {
  /** The step enters a stage, which had stood still for experts to move for `stoodNs` until `stoodUntilNs`. */
  enters(stage: number, atNs: number, stoodUntilNs: number, stoodNs: number): void;
  /** The stage is timed, and ends then. */
  leaves(atNs: number): void;
  /** What the stage computed is on its way to the next one. */
  handsOn(fromNs: number, untilNs: number): void;
}
