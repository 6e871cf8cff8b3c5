/**
 * Where the verdicts lie. They are the loosest that called no simulated queue of known capacity stable above 1.05 times or
 * overloaded below 0.9 times of it; `npm run check:verdicts` repeats that on the simulator.
 */
export const limits = {
  /**
   * Standard deviations by which requests must pile up, and by which the rate must exceed what larger batches serve.
   */
  growth: 3,
  excess: 2.5,
  /** Share of a random walk's spread below which the time in system keeps its level. */
  wander: 0.045,
  /** Standard deviations that the rate must stay below what larger batches serve. */
  reserve: 3,
  /** Arrival span in times in system; in a shorter one the deployment may be filling up. */
  turnovers: 15,
  /** Open loads below this many requests are not judged; so many are tried first. */
  requestsMin: 30,
  requestsFirst: 200,
  /** Fewer counted requests say nothing about the warm-up. */
  warmUpMin: 50,
} as const;

/** Requests of every client of a closed loop before its start and its end weigh little. */
export const closedLoopTurns = 5;
