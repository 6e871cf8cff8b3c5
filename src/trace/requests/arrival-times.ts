import { InvalidInputError, refuse } from "../../core/errors.ts";
import type { RandomStream } from "../../core/random.ts";
import { formatDuration } from "../../core/units.ts";
import type { LoadRequestsOptions } from "./load-options.ts";
import type { RowCollector } from "./row-collector.ts";
import { findTimeUnit, type TimeEvidence, type TimeSource, timeUnits } from "./time-unit.ts";

/** When rows come. */
export interface ArrivalTimes {
  /** Rows that are kept, in file order. */
  readonly kept: Uint32Array;
  /** [kept] ns from the earliest; of a row that waits for others, the earliest time it can come. */
  readonly atNs: Float64Array;
  /** [kept] time of its own before jitter and scaling, ns; NaN without one. */
  readonly recordedNs: Float64Array;
  /** Wait of a row after the last answer that it waits for, ns. */
  waitNsOf(row: number): number;
  /** How their unit was found, where the layout does not say it. */
  readonly unitNote: string | null;
}

/** Nanoseconds of the file's unit, and how it was found. */
interface Unit {
  readonly ns: number;
  /** Whether the user said it, or dates need none. */
  readonly told: boolean;
  readonly note: string | null;
}

/** Arrival times of rows: their unit found, the part between `from` and `until` kept, jittered and compressed. */
export function arrivalTimes(
  rows: RowCollector,
  source: Omit<TimeSource, "given">,
  options: LoadRequestsOptions,
  jitter: RandomStream,
  file: string,
): ArrivalTimes {
  const unit = unitOf(rows, source, options, file);
  const kept = keptRows(rows, unit.ns, options);
  if (kept.length === 0) refuse({ file, expected: "at least one request between from and until", found: "none" });
  const origin = rows.wholes.at(kept.find((row) => !Number.isNaN(rows.wholes.at(row))) ?? 0) || 0;
  const recordedNs = ownTimes(rows, kept, unit.ns, origin);
  const { jitterQuantumNs = 0, rateScale = 1 } = options;
  const movedNs =
    jitterQuantumNs === 0
      ? recordedNs
      : recordedNs.map((ns, i) => ns + Math.floor(jitter.at(rows.rowOf.at(kept[i]!)) * jitterQuantumNs));
  const [bounds, before] = [
    earliestTimes(rows, kept, movedNs, unit.ns),
    earliestTimes(rows, kept, recordedNs, unit.ns),
  ];
  const firstNs = before.reduce((least, ns) => Math.min(least, ns), Number.POSITIVE_INFINITY);
  const atNs = bounds.map((ns) => Math.round((ns - firstNs) / rateScale));
  const lastNs = atNs.reduce((most, ns) => Math.max(most, ns), 0);
  if (!Number.isSafeInteger(lastNs))
    refuse({
      file,
      expected: "arrivals within 2^53 ns (104 days)",
      found: formatDuration(lastNs),
      hint: `read a part of it with from and until (--from, --until), as in until: 24h, counted from its earliest arrival${unit.told ? "" : "; or say with timeUnit (--time-unit) if its times count a smaller unit"}`,
    });
  const waitNsOf = (row: number) => Math.round((rows.links.waitOf(row) * unit.ns) / rateScale);
  return { kept, atNs, recordedNs, waitNsOf, unitNote: unit.note };
}

function unitOf(
  rows: RowCollector,
  source: Omit<TimeSource, "given">,
  { timeUnit }: LoadRequestsOptions,
  file: string,
): Unit {
  const { start, links } = rows;
  const at = source.column;
  if (start === null) return { ns: timeUnits[timeUnit ?? source.documented ?? "ms"], told: true, note: null };
  if (links.untimed.length > 0)
    throw new InvalidInputError(
      links.untimed.map((line) => ({
        file,
        ...(line === null ? {} : { line }),
        at,
        expected: "a time, since the request waits for no other",
        found: "none",
      })),
    );
  if (start.calendar) {
    if (timeUnit !== undefined)
      refuse({ file, at, expected: "numbers, since timeUnit is given", found: "dates", hint: "leave timeUnit out" });
    return { ns: timeUnits.s, told: true, note: null };
  }
  const found = findTimeUnit({ ...source, given: timeUnit ?? null }, evidenceOf(rows, Number(start.whole)));
  if (found.unit !== null) return { ns: timeUnits[found.unit], told: timeUnit !== undefined, note: found.note };
  return refuse({
    file,
    at,
    expected: "times whose unit is known",
    found: found.why,
    hint: "say it with timeUnit (--time-unit): s, ms, us or ns",
  });
}

function evidenceOf(rows: RowCollector, startWhole: number): TimeEvidence {
  const [wholes, billionths] = [rows.wholes.view(), rows.billionths.view()];
  const times = wholes
    .map((whole, row) => whole + billionths[row]! / 1e9)
    .filter((time) => !Number.isNaN(time))
    .sort();
  const gaps = times
    .map((time, i) => (i === 0 ? 0 : time - times[i - 1]!))
    .filter((gap) => gap > 0)
    .sort();
  return {
    first: startWhole + (times[0] ?? 0),
    fractions: billionths.some((part) => part !== 0),
    typicalGap: gaps.length === 0 ? null : gaps[gaps.length >> 1]!,
  };
}

/** Own times of rows from an origin in the file's unit, ns; exact below 2^53. */
function ownTimes(rows: RowCollector, kept: Uint32Array, unitNs: number, origin: number): Float64Array {
  return Float64Array.from(
    kept,
    (row) => (rows.wholes.at(row) - origin) * unitNs + Math.round((rows.billionths.at(row) * unitNs) / 1e9),
  );
}

/** The earliest time at which each row can come: its own, and that of what it waits for with the wait after it. */
function earliestTimes(rows: RowCollector, kept: Uint32Array, ownNs: Float64Array, unitNs: number): Float64Array {
  const { links } = rows;
  if (links.followers === 0) return ownNs.map((ns) => (Number.isNaN(ns) ? 0 : ns));
  const placeOf = places(rows, kept);
  const atNs = new Float64Array(kept.length);
  for (const [i, row] of kept.entries()) {
    let ns = ownNs[i]!;
    const before = links.of(row);
    if (before.length > 0) {
      let answeredNs = Number.NEGATIVE_INFINITY;
      for (const earlier of before) answeredNs = Math.max(answeredNs, atNs[placeOf[earlier]!]!);
      ns = Math.max(Number.isNaN(ns) ? answeredNs : ns, answeredNs + links.waitOf(row) * unitNs);
    }
    atNs[i] = Number.isNaN(ns) ? 0 : ns;
  }
  return atNs;
}

/** Place of each row among those that are kept. */
export function places(rows: RowCollector, kept: Uint32Array): Uint32Array {
  const placeOf = new Uint32Array(rows.count);
  for (const [place, row] of kept.entries()) placeOf[row] = place;
  return placeOf;
}

/** Rows between `from` and `until`, a row that waits for others with them, and of these the first `limit`. */
function keptRows(rows: RowCollector, unitNs: number, { fromNs, untilNs, limit }: LoadRequestsOptions): Uint32Array {
  const all = Uint32Array.from({ length: rows.count }, (_, row) => row);
  if (fromNs === undefined && untilNs === undefined) return all;
  const ownNs = ownTimes(rows, all, unitNs, 0);
  const firstNs = ownNs.reduce(
    (least, ns) => (Number.isNaN(ns) ? least : Math.min(least, ns)),
    Number.POSITIVE_INFINITY,
  );
  const inside = (ns: number) => ns - firstNs >= (fromNs ?? 0) && ns - firstNs < (untilNs ?? Number.POSITIVE_INFINITY);
  const keeps = new Uint8Array(rows.count);
  const kept = all.filter((row) => {
    const before = rows.links.of(row);
    const keep = before.length > 0 ? before.every((earlier) => keeps[earlier] === 1) : inside(ownNs[row]!);
    keeps[row] = keep ? 1 : 0;
    return keep;
  });
  return limit === undefined ? kept : kept.subarray(0, limit);
}
