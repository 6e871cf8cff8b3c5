import type { EnginePlace } from "../../engine/platforms.ts";
import type { ModelSpec } from "../../models/spec.ts";

/** What a scenario is made for: names of the catalogues. */
export interface Choice {
  readonly model: string;
  readonly system: string;
  /** Null: the first that serves the model there. */
  readonly engine: string | null;
  /** Requests per second; null: what {@link Template.limits} allow, found by short runs. */
  readonly ratePerSecond: number | null;
  /** Name of the scenario and, with `.yaml` behind it, of its file. */
  readonly name: string;
}

/** A choice with what its names stand for. */
export interface Site extends Choice {
  readonly engine: string;
  readonly spec: ModelSpec;
  readonly systemName: string;
  readonly device: EnginePlace & { readonly id: string };
  readonly devicesPerNode: number;
}

/** The part of a scenario that says what serves: YAML from `model` to `policy`, without traffic and objectives. */
export interface Draft {
  /** What serves what, as words of the description. */
  readonly title: string;
  readonly sections: readonly string[];
}

/** Tokens of prompts and answers: lognormal by mean and median, cut off at the most. */
export interface Lengths {
  readonly isl: { readonly mean: number; readonly p50: number; readonly max: number };
  readonly osl: { readonly mean: number; readonly p50: number; readonly max: number };
  /** Where they are from. */
  readonly source: string;
}

/** Objectives: so many of 100 requests are within them. */
export interface Limits {
  readonly percentile: 50 | 95;
  readonly ttftMs: number;
  readonly tpotMs: number;
}

/** A file that a template writes: its path from the folder of the project. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Tries a draft: null where it runs, else why it does not. With `withRoom` a part of the memory stays free, which more sequences
 * can use than the one that has to fit.
 */
export type Probe = (draft: Draft, withRoom?: "withRoom") => Promise<string | null>;

/** A kind of project to begin with: one file, and a line in the table of templates. */
export interface Template {
  /** What a list of templates says of it. */
  readonly title: string;
  /** The question that its scenario answers, as the head of the file and the wizard put it. */
  readonly question: string;
  /** What to change next, as lines of the head: a setting and what it shows. */
  readonly next: readonly (readonly [words: string, shows: string])[];
  readonly defaults: { readonly model: string; readonly system: string; readonly name: string };
  /** Engines in the order in which they are tried. */
  readonly engines: readonly string[];
  readonly requests: number;
  /** Longest sequence of the engine, where the model allows it. */
  readonly contextTokens: number;
  /** Load where no rate is given: a rate that keeps the objectives, or one person who waits for each answer. */
  readonly defaultLoad: "found" | "onePerson";
  readonly lengths: Lengths;
  /** Value of `routing`. */
  readonly routing: string;
  readonly limits: Limits;
  /** The deployment of a choice; throws InfeasibleError where none fits. */
  draft(site: Site, probe: Probe): Promise<Draft>;
  /** Folder of the scenario in the project; that of the project by default. */
  readonly folder?: string;
  /** Whether the project has moecast among its dependencies, which the files rely on. */
  readonly isDependency?: true;
  /** Files around the scenario, which `path` is the place of; none by default. */
  beside?(path: string): readonly NewFile[];
  /** Words of the first command, without the program's name. */
  first(path: string): readonly string[];
}
