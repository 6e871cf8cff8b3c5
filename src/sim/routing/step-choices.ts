import type { PrefetchStep } from "../../policy/prefetch/prefetcher.ts";
import type { StepRows } from "./step-rows.ts";

/** A step as the prefetcher of one expert rank knows it. */
export class StepChoices implements PrefetchStep {
  readonly choices: (layer: number, out: Uint32Array) => number;
  private readonly read: StepRows;

  /** @param choices writes what the rank will be asked for at a layer, by key; returns how much */
  constructor(read: StepRows, choices: (layer: number, out: Uint32Array) => number) {
    this.read = read;
    this.choices = choices;
  }

  get rows(): Int32Array {
    return this.read.rows;
  }

  get count(): number {
    return this.read.count;
  }
}
