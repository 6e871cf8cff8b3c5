import { z } from "zod";

/** The parameter of policies that spare the first choices of a token. */
export const firstChoices = {
  keep: z
    .int()
    .min(0)
    .max(64)
    .default(1)
    .describe("First choices of a token whose experts are fetched when they are missing."),
};
