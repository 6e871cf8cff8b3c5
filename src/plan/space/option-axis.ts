import type { PlanQuestion } from "./question.ts";
import type { Site } from "./sites.ts";

/** One way to run a layout. */
export interface Option {
  readonly settings: readonly string[];
  /** Empty where nothing is chosen. */
  readonly name: string;
}

/** A choice beside hardware, layout and replicas: one file each. */
export interface OptionAxis {
  readonly name: string;
  /** The ways to choose from; empty: the axis has no say. */
  options(question: PlanQuestion, site: Site): readonly Option[];
}
