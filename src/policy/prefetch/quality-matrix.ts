/**
 * How well experts are guessed. Entry [layer][distance - 1] is of guesses for a layer, made when the layer `distance` before it had
 * chosen. Null where there is no such layer, or nothing was measured.
 */
export interface QualityMatrix {
  /** Share of the experts asked for that had been guessed. */
  readonly recall: readonly (readonly (number | null)[])[];
  /** Share of the guesses that were asked for. */
  readonly precision: readonly (readonly (number | null)[])[];
}
