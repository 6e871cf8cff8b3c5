/** One thing that was looked at. A problem keeps the main job, forecasting, from working; a note is worth knowing. */
export interface Finding {
  readonly topic: string;
  readonly state: "ok" | "note" | "problem";
  readonly text: string;
  /** A command or an action that helps. */
  readonly advice?: string;
}

/** A part of the machine that `moecast doctor` looks at: one file, and a line in the table of checks. */
export interface Check {
  /** Heading of its findings. */
  readonly title: string;
  look(): Promise<readonly Finding[]>;
}
