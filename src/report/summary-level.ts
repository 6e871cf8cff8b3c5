/** How much a summary shows, each level all of the one before it. */
export const summaryLevels = {
  compact: "verdict, SLOs, comparison, latency and throughput",
  standard: "also where the time goes, experts, memory, and what the figures rest on",
  full: "also the whole of that, and what the words mean",
} as const;

export type SummaryLevel = keyof typeof summaryLevels;

/** Whether a level shows what is shown from another on. */
export const shows = (level: SummaryLevel, from: SummaryLevel): boolean => rank(from) <= rank(level);

const rank = (level: SummaryLevel) => Object.keys(summaryLevels).indexOf(level);
