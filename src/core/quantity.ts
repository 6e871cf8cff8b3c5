import { z } from "zod";
import { parseQuantity } from "./units.ts";

/** What each kind of quantity looks like in a file that people write. */
const forms = {
  duration: { expected: "a duration with its unit, such as 800ms, 2s or 3h", example: "800ms" },
  bytes: { expected: "an amount of bytes with its unit, such as 24GiB or 80GB", example: "24GiB" },
  bytesPerSecond: { expected: "a bandwidth with its unit, such as 25GB/s", example: "25GB/s" },
  rate: { expected: "a rate with its unit, such as 16/s", example: "16/s" },
} as const;

/**
 * A positive quantity, or one of zero too, written as text with its unit: a bare number is refused, since its unit would
 * be a guess. The value is in the base unit: ns, bytes, bytes per second, per second.
 */
export function quantity(dimension: keyof typeof forms, smallest: "positive" | "zero" = "positive") {
  const { expected, example } = forms[dimension];
  return z
    .string({ error: expected })
    .meta({ examples: [example] })
    .transform((text, context) => {
      const value = /\d\s*$/.test(text) ? null : parseQuantity(text, dimension);
      if (value !== null && (value > 0 || (value === 0 && smallest === "zero")) && Number.isFinite(value)) return value;
      context.addIssue({ code: "custom", message: expected });
      return z.NEVER;
    });
}

/** A share in [0, 1], as a number or as a percentage. */
export function share() {
  const expected = "a share from 0 to 1, or a percentage such as 5%";
  return z.union([z.string(), z.number()], { error: expected }).transform((raw, context) => {
    const value = typeof raw === "number" ? raw : parseQuantity(raw, "ratio");
    if (value !== null && value >= 0 && value <= 1) return value;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
}
