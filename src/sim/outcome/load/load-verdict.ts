/** Whether a deployment keeps up with its load, as far as a run of this length can tell. */
export interface LoadVerdict {
  /**
   * `stable`: the run excludes, beyond chance, that arrivals outrun the deployment. `overloaded`: they do, beyond
   * chance. `tooShort`: neither is shown.
   */
  readonly verdict: "stable" | "overloaded" | "tooShort";
  /** `open`: requests arrive when they like. `closed`: each follows the completion of another. */
  readonly loop: "open" | "closed";
  readonly offeredRequestsPerSecond: number | null;
  /** Completions per second while the deployment was never short of work; null unless overloaded. */
  readonly sustainedRequestsPerSecond: number | null;
  /** Half-width of the 95 % interval of the sustained rate; null where it has none. */
  readonly sustainedHalfWidth: number | null;
  /** Requests that would settle a run that is too short; null for other runs, or if no number can be given. */
  readonly requestsNeeded: number | null;
  readonly reason: string;
}
