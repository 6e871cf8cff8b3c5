/** Units of time that numbers of a trace may count. */
export const timeUnits = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 } as const;

export type TimeUnit = keyof typeof timeUnits;

const names = Object.keys(timeUnits) as TimeUnit[];
const words: Readonly<Record<TimeUnit, string>> = {
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
};

/** What the times of a file look like, in its own unit. */
export interface TimeEvidence {
  /** The earliest time. */
  readonly first: number;
  /** Whether any time has a fraction. */
  readonly fractions: boolean;
  /** Median of the gaps between different times that follow one another; null where all are equal. */
  readonly typicalGap: number | null;
}

export interface TimeSource {
  /** What the user said. */
  readonly given: TimeUnit | null;
  /** What the layout is documented to count; null where nobody said so. */
  readonly documented: TimeUnit | null;
  /** Whether files of the layout are known that count in another unit. */
  readonly varies: boolean;
  /** Column or key of the times, whose ending may name the unit. */
  readonly column: string;
}

/** The unit of a file's times with a note on how it was found, or why it cannot be told. */
export type UnitFound =
  | { readonly unit: TimeUnit; readonly note: string | null }
  | { readonly unit: null; readonly why: string };

/** More arrivals a second than this in its typical gap is no traffic that a recorder of one deployment wrote. */
const typicalRateMax = 100;
/** Fewer than one arrival in this many seconds is none either. */
const typicalGapSecondsMax = 100;

/**
 * Which unit the times of a file count: what the user said; else what their column's name ends in; else that of a Unix
 * time of our days; else what the layout is documented to count. Documented milliseconds with fractions may be seconds:
 * they are, if arrivals would otherwise typically follow one another within 1 / 100 s, and milliseconds, if seconds
 * would put more than 100 s between them. Between the two nobody can tell, and the user has to say. Without fractions
 * they are milliseconds, which is told where seconds would put less than that between them.
 */
export function findTimeUnit({ given, documented, varies, column }: TimeSource, times: TimeEvidence): UnitFound {
  if (given !== null) return { unit: given, note: null };
  if (documented !== null && !varies) return { unit: documented, note: null };
  const named = unitInName(column);
  if (named !== null)
    return { unit: named, note: documented === named ? null : `times in ${words[named]}, as ${column} says` };
  const epoch = unixUnit(times.first);
  if (documented === null) {
    if (epoch !== null) return { unit: epoch, note: `times read as Unix times in ${words[epoch]}` };
    return { unit: null, why: ratesIfRead(times) };
  }
  const rate = typicalRate(times, documented);
  const implausible = rate !== null && rate > typicalRateMax;
  if (epoch !== null && epoch !== documented)
    return { unit: epoch, note: `times read as Unix times in ${words[epoch]}` };
  if (documented !== "ms" || rate === null || times.typicalGap === null) return { unit: documented, note: null };
  if (!times.fractions) {
    // Whole seconds of a quiet service look the same.
    const may = times.typicalGap <= typicalGapSecondsMax;
    const note = `times read as milliseconds, as the layout is documented: arrivals typically follow one another at ${round(rate)}/s; if they count seconds, say it with timeUnit`;
    return { unit: documented, note: may ? note : null };
  }
  if (implausible)
    return {
      unit: "s",
      note: `times read as seconds: they have fractions, and as milliseconds arrivals would typically follow one another at ${round(rate)}/s`,
    };
  if (times.typicalGap > typicalGapSecondsMax)
    return { unit: documented, note: "times with fractions read as milliseconds" };
  return { unit: null, why: ratesIfRead(times) };
}

/** The unit that a name ends in, as in `arrival_time_ns`, `startMs` or `time (s)`. */
export function unitInName(name: string): TimeUnit | null {
  const parted = name.replace(/[)\]\s]+$/, "").replace(/([a-z])([A-Z])/g, "$1_$2");
  const ending = /(?:^|[^A-Za-z0-9])([A-Za-z]+)$/.exec(parted)?.[1]?.toLowerCase();
  if (ending === undefined) return null;
  return names.find((unit) => ending === unit || (ending.length > 2 && words[unit].startsWith(ending))) ?? null;
}

/** The unit in which a number is a time between 2014 and 2039, counted from 1970. */
function unixUnit(first: number): TimeUnit | null {
  return names.find((unit) => first * timeUnits[unit] >= 1.4e18 && first * timeUnits[unit] < 2.2e18) ?? null;
}

function typicalRate({ typicalGap }: TimeEvidence, unit: TimeUnit): number | null {
  return typicalGap === null ? null : 1e9 / (typicalGap * timeUnits[unit]);
}

function ratesIfRead(times: TimeEvidence): string {
  if (times.typicalGap === null) return "times that are all equal";
  const rates = names.map(
    (unit, i) => `${round(typicalRate(times, unit) ?? 0)}${i === 0 ? " requests/s" : ""} in ${unit}`,
  );
  return `gaps of ${round(times.typicalGap)}: ${rates.join(", ")}`;
}

const round = (value: number): string => String(Number(value.toPrecision(3)));
