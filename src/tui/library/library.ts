/** A scenario file that can be run. */
export interface ScenarioEntry {
  readonly file: string;
  /** As the screens show it. */
  readonly shown: string;
  readonly bundled: boolean;
  /** null until its file was read; the file may be none that can be. */
  readonly name: string | null;
  readonly description: string | null;
}

/** A saved result. */
export interface ResultEntry {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  readonly interrupted: boolean;
  /** When it was saved, as `2026-11-30 16:40`. */
  readonly saved: string;
  /** Laid over the scenario. */
  readonly settings: readonly string[];
  /** The scenario, from the folder in which it was run. */
  readonly scenario: string;
  readonly headline: string;
}

/** The answer of a plan. */
export interface PlanEntry {
  readonly file: string;
  /** As the screens show it. */
  readonly shown: string;
  /** What it says; null until its file was read. */
  readonly text: string | null;
  /** Whether every objective has an answer; null where that is not known. */
  readonly found: boolean | null;
}

/** What the home screen lists. */
export interface Library {
  readonly scenarios: readonly ScenarioEntry[];
  readonly results: readonly ResultEntry[];
  readonly plans: readonly PlanEntry[];
}

export const emptyLibrary: Library = { scenarios: [], results: [], plans: [] };
