import type { Instant } from "./request-format.ts";

/** Says what is wrong with a field and stands for the value that could not be read. */
export type Reject = (at: string, expected: string, found: unknown) => null;

const tokensMax = 0xffff_ffff;
const secondsMax = 1e12;

/** A number of tokens: an integer in [0, 2^32), as a JSON number or as CSV text (`12` or `12.0`). */
export function tokenCount(value: unknown, at: string, reject: Reject): number | null {
  const count = typeof value === "string" && /^\d{1,10}(\.0*)?$/.test(value) ? Number(value) : value;
  if (typeof count !== "number" || !Number.isInteger(count) || count < 0 || count > tokensMax)
    return reject(at, "a whole number of tokens, 0 or more", value);
  return count;
}

/** Seconds as a JSON number or as CSV text; text is read digit by digit, so that no nanosecond is lost. */
export function instantFromSeconds(value: unknown, at: string, reject: Reject): Instant | null {
  const expected = "a time in seconds, 0 or more";
  if (typeof value === "number") {
    if (!(value >= 0 && value < secondsMax)) return reject(at, expected, value);
    const seconds = Math.floor(value);
    return carry(seconds, Math.round((value - seconds) * 1e9));
  }
  const parts = typeof value === "string" ? /^(\d{1,12})(?:\.(\d*))?$/.exec(value) : null;
  if (parts === null) return reject(at, expected, value);
  return { seconds: Number(parts[1]), nanos: nanosOf(parts[2] ?? "") };
}

/** Milliseconds as a JSON number. */
export function instantFromMilliseconds(value: unknown, at: string, reject: Reject): Instant | null {
  if (typeof value !== "number" || !(value >= 0 && value < secondsMax * 1e3))
    return reject(at, "a time in milliseconds, 0 or more", value);
  const seconds = Math.floor(value / 1e3);
  return carry(seconds, Math.round((value - seconds * 1e3) * 1e6));
}

/** Integer nanoseconds as a JSON number or as CSV text. */
export function instantFromNanoseconds(value: unknown, at: string, reject: Reject): Instant | null {
  const ns = typeof value === "string" && /^\d{1,16}(\.0*)?$/.test(value) ? Number(value) : value;
  if (typeof ns !== "number" || !Number.isSafeInteger(ns) || ns < 0)
    return reject(at, "whole nanoseconds, 0 or more and below 2^53", value);
  const seconds = Math.floor(ns / 1e9);
  return { seconds, nanos: ns - seconds * 1e9 };
}

/** A calendar time, `2023-11-16 18:17:03.9799600` with up to 9 fractional digits and an optional UTC offset. */
export function instantFromCalendar(value: unknown, at: string, reject: Reject): Instant | null {
  const pattern = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?$/;
  const parts = typeof value === "string" ? pattern.exec(value) : null;
  if (parts === null) return reject(at, "a time such as 2023-11-16 18:17:03.9799600", value);
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as Six;
  const inCalendar = month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
  if (!inCalendar || hour > 23 || minute > 59 || second > 59)
    return reject(at, "a date and time that exist in the calendar", value);
  const offset = (Number(parts[9] ?? 0) * 60 + Number(parts[10] ?? 0)) * (parts[8] === "-" ? -60 : 60);
  const seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
  return { seconds, nanos: nanosOf(parts[7] ?? "") };
}

/** Prefix-block ids: an array of integers in [0, 2^53). */
export function blockIds(value: unknown, at: string, reject: Reject): readonly number[] | null {
  if (!Array.isArray(value)) return reject(at, "a list of block ids", value);
  const wrong = value.findIndex((id) => !Number.isSafeInteger(id) || id < 0);
  if (wrong >= 0) return reject(`${at}[${wrong}]`, "a block id: a whole number, 0 or more", value[wrong]);
  return value as readonly number[];
}

type Six = [number, number, number, number, number, number];

function carry(seconds: number, nanos: number): Instant {
  return nanos >= 1e9 ? { seconds: seconds + 1, nanos: nanos - 1e9 } : { seconds, nanos };
}

function nanosOf(fraction: string): number {
  return Number(fraction.slice(0, 9).padEnd(9, "0"));
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 in the Gregorian calendar, the year counted from March so that the leap day comes last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
}
