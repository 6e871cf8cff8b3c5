export type Dimension = "duration" | "bytes" | "bytesPerSecond" | "rate" | "count" | "ratio";

const decimal = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };
const binary = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 };
const prefixes = Object.entries({ "": 1, K: 1e3, ...decimal, ...binary });

const withPrefixes = (unit: string, factor = 1): [string, number][] =>
  prefixes.map(([prefix, size]) => [prefix + unit, size * factor]);

/** What each unit is worth in the dimension's base unit; "" is a number without a unit, where that is unambiguous. */
const units = {
  /** Nanoseconds. */
  duration: new Map([
    ["ns", 1],
    ["us", 1e3],
    ["µs", 1e3],
    ["μs", 1e3],
    ["ms", 1e6],
    ["s", 1e9],
    ["min", 60e9],
    ["m", 60e9],
    ["h", 3600e9],
    ["d", 86400e9],
  ]),
  bytes: new Map([["", 1], ...withPrefixes("B")]),
  bytesPerSecond: new Map([
    ["", 1],
    ...withPrefixes("B/s"),
    ...withPrefixes("b/s", 1 / 8),
    ...withPrefixes("bit/s", 1 / 8),
    ...withPrefixes("bps", 1 / 8),
  ]),
  /** Per second. */
  rate: new Map([
    ["", 1],
    ["/s", 1],
    ["/min", 1 / 60],
    ["/h", 1 / 3600],
    ["rps", 1],
    ["k/s", 1e3],
    ["M/s", 1e6],
  ]),
  count: new Map([...prefixes, ["B", 1e9]]),
  ratio: new Map([
    ["", 1],
    ["%", 1 / 100],
  ]),
} satisfies Record<Dimension, ReadonlyMap<string, number>>;

/** Dimensions whose base unit does not divide. */
const whole: ReadonlySet<Dimension> = new Set<Dimension>(["duration", "bytes", "count"]);

/**
 * A number with a unit in the base unit of its dimension: nanoseconds, bytes, bytes per second (b is a bit, B a byte),
 * per second, a count, a share of 1. `k M G T P` are powers of 1000, `Ki Mi ...` of 1024. Durations and bytes are
 * rounded to whole ones; a count must be whole. Null when the text is not such a quantity: negative, no unit where
 * one is needed (a duration other than 0), or beyond 2^53.
 */
export function parseQuantity(text: string, dimension: Dimension): number | null {
  const match = /^(\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\s*(.*)$/.exec(text.trim());
  if (match === null) return null;
  const [, digits = "", unit = ""] = match;
  const value = Number(digits.replaceAll("_", ""));
  const factor = units[dimension].get(unit);
  if (factor === undefined) return dimension === "duration" && unit === "" && value === 0 ? 0 : null;
  const scaled = factor < 1 ? value / Math.round(1 / factor) : value * factor;
  if (!Number.isFinite(scaled)) return null;
  if (!whole.has(dimension)) return scaled;
  const rounded = Math.round(scaled);
  if (rounded > Number.MAX_SAFE_INTEGER) return null;
  if (dimension === "count" && Math.abs(scaled - rounded) > 1e-9 * rounded) return null;
  return rounded;
}

const durationSteps = [
  ["ns", 1],
  ["us", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
] as const;

/** Nanoseconds for people: three significant digits of ns, us, ms or s; from two minutes on `min`, from two hours `h`. */
export function formatDuration(ns: number): string {
  if (!Number.isFinite(ns)) return "n/a";
  const size = Math.abs(ns);
  if (rounded(size / 60e9) >= 120) return `${formatNumber(ns / 3600e9)} h`;
  if (rounded(size / 1e9) >= 120) return `${formatNumber(ns / 60e9)} min`;
  return scaledBy(ns, durationSteps, 1000);
}

const byteSteps = [
  ["B", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
  ["PiB", 2 ** 50],
] as const;

/** Bytes for people: three significant digits of B, KiB, MiB, GiB, TiB or PiB. */
export function formatBytes(bytes: number): string {
  return Number.isFinite(bytes) ? scaledBy(bytes, byteSteps, 1024) : "n/a";
}

/** A whole number with thousands separated: 1,234,567. */
export function formatCount(n: number): string {
  return Number.isFinite(n) ? grouped(String(Math.round(n))) : "n/a";
}

/** A share of 1 as a percentage. */
export function formatPercent(share: number, digits = 1): string {
  return Number.isFinite(share * 100) ? `${(share * 100).toFixed(digits)}%` : "n/a";
}

/** A number rounded to so many significant digits, never in exponent form between 1e-6 and 1e21, thousands separated. */
export function formatNumber(x: number, significant = 3): string {
  if (!Number.isFinite(x)) return "n/a";
  if (Math.abs(x) >= Number(`1e${significant}`)) return grouped(String(Math.round(x)));
  return String(Number(x.toPrecision(significant)));
}

/** US dollars: cents from one dollar on, three significant digits below. */
export const formatDollars = (amount: number): string =>
  `$${amount >= 1000 ? formatCount(amount) : amount >= 1 ? amount.toFixed(2) : formatNumber(amount)}`;

/** In the largest unit in which the rounded number is at least 1. */
function scaledBy(value: number, steps: readonly (readonly [string, number])[], base: number): string {
  let at = 0;
  while (at < steps.length - 1 && rounded(Math.abs(value) / (steps[at]?.[1] ?? 1)) >= base) at++;
  const [unit, size] = steps[at] ?? ["", 1];
  const shown = value / size;
  return `${Math.abs(shown) >= 1000 ? formatCount(shown) : formatNumber(shown)} ${unit}`;
}

function rounded(x: number): number {
  return x >= 1000 ? Math.round(x) : Number(x.toPrecision(3));
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ",");
}
