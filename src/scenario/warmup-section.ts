import { z } from "zod";
import { parseQuantity } from "../core/units.ts";

/** Requests at the start that statistics leave out, by arrival order: so many, or such a share of all. */
export type Warmup = { readonly requests: number } | { readonly share: number };

const expected = "a number of requests, or a percentage of them such as 5%";

export const warmupSection = z
  .union([z.int().min(0).max(1e9), z.string()], { error: expected })
  .transform((raw, context): Warmup => {
    if (typeof raw === "number") return { requests: raw };
    const value = raw.trim().endsWith("%") ? parseQuantity(raw, "ratio") : null;
    if (value !== null && value >= 0 && value < 1) return { share: value };
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  })
  .optional();
