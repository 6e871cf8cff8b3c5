import { z } from "zod";
import { quantity } from "../../core/quantity.ts";
import type { ScalingPolicy } from "./scaling.ts";

const step = z.strictObject({
  at: quantity("duration", "zero").describe("From the first arrival on."),
  replicas: z.int().min(1).max(65536).describe("Replicas that should be up from then on."),
});
type Step = z.output<typeof step>;

const ascending = (steps: readonly Step[], context: z.RefinementCtx): void => {
  for (const [i, { at }] of steps.entries())
    if (i > 0 && at <= steps[i - 1]!.at)
      context.addIssue({ code: "custom", path: [i, "at"], message: "a time after that of the entry before" });
};

const parameters = {
  steps: z
    .array(step)
    .min(1)
    .max(10_000)
    .superRefine(ascending)
    .describe("Times and the replicas from then on, in order of time; before the first, those at the start."),
  repeat: quantity("duration")
    .optional()
    .describe(
      "The times begin anew after this long, such as 24h; entries later than that are not reached. Default never.",
    ),
};

/** Replicas by the clock, as cron triggers of autoscalers set them. */
export const schedule: ScalingPolicy<typeof parameters> = {
  name: "schedule",
  rule: "Replicas by the clock: each entry holds until the next one.",
  parameters,
  stated: ({ steps }) => steps.map(({ replicas }) => replicas),
  create: ({ steps, repeat }) => ({
    replicas: ({ atNs, starting, serving }) => {
      const sinceNs = repeat === undefined ? atNs : atNs % repeat;
      let current = steps.findLast(({ at }) => at <= sinceNs);
      // Before the first entry of a later round, the last one of the round before holds.
      if (current === undefined && repeat !== undefined && atNs >= repeat)
        current = steps.findLast(({ at }) => at < repeat);
      return current?.replicas ?? starting + serving;
    },
  }),
};
