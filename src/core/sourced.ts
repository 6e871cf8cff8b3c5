import { z } from "zod";

/**
 * How far a number can be trusted: measured on the hardware, stated by its vendor, read from a third party's table, or
 * estimated (assumed or carried over from similar hardware; the source says how).
 */
export const sourceKinds = ["measured", "vendor", "thirdParty", "estimated"] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** A value of a profile with where it comes from. */
export interface Sourced<Value> {
  readonly value: Value;
  readonly kind: SourceKind;
  /** Publication, table, measurement or reasoning behind the value. */
  readonly source: string;
}

function sourced<Value extends z.ZodType>(value: Value) {
  return z.strictObject({ value, kind: z.enum(sourceKinds), source: z.string().trim().min(8) });
}

/** Beyond every time in ns (17 minutes), power, price and factor of a profile: a slip of the unit. */
const most = 1e12;
const positive = z.number().positive().max(most);
const share = z.number().gt(0).lte(1);

/** The shapes of single numbers in profiles; each carries its source and kind. */
export const numbers = {
  /** > 0, up to what no figure of a profile passes. */
  positive: sourced(positive),
  /** >= 0 */
  nonNegative: sourced(z.number().nonnegative().max(most)),
  /** In (0, 1]. */
  share: sourced(share),
  /** Integer >= 1. */
  count: sourced(z.int().min(1).max(most)),
  /** Bytes per second; below 1e6 a rate was given in MB/s or GB/s. */
  bytesPerSecond: sourced(z.number().min(1e6, "expected bytes per second, not GB/s").max(1e18)),
  /** Bytes; below 1e6 a size was given in MB or GB. */
  bytes: sourced(z.number().min(1e6, "expected bytes, not GB").max(1e18)),
  /** Operations per second; below 1e9 a peak was given in TFLOP/s. */
  flopsPerSecond: sourced(z.number().min(1e9, "expected FLOP/s, not TFLOP/s").max(1e21)),
  flag: sourced(z.boolean()),
  /** A price, with the day, month or year it was asked. */
  price: sourced(positive).extend({
    date: z.string().regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, "expected a date such as 2026-03-10 or 2026"),
  }),
} as const;

/** True for any object that has the form of {@link Sourced}. */
export function isSourced(value: unknown): value is Sourced<number | boolean | string> {
  return typeof value === "object" && value !== null && "value" in value && "kind" in value && "source" in value;
}

/** The value behind every {@link Sourced} of a profile, same shape. */
type Plain<T> =
  T extends Sourced<infer Value>
    ? Value
    : T extends object
      ? { [Key in keyof T]: Plain<Exclude<T[Key], undefined>> }
      : T;

/** A profile with its values in place of their sources. */
export function plain<T>(profile: T): Plain<T> {
  if (isSourced(profile)) return profile.value as Plain<T>;
  if (typeof profile !== "object" || profile === null) return profile as Plain<T>;
  const entries = Object.entries(profile).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, plain(value)])) as Plain<T>;
}
