import type { Reject } from "./fields.ts";
import type { Moment } from "./request-format.ts";

const expected = "a time: a number of 0 or more, or a date such as 2023-11-16 18:17:03.9799600";
const wholeMax = 1e22;

/**
 * A moment: a number, as JSON number or as text, or a date. Text is read digit by digit, so that no nanosecond is lost,
 * however many digits it has; a JSON number keeps what float64 holds.
 */
export function moment(value: unknown, at: string, reject: Reject): Moment | null {
  if (typeof value === "number") return fromNumber(value, at, reject);
  if (typeof value !== "string") return reject(at, expected, value);
  const parts = /^(\d{1,22})(?:\.(\d*))?$/.exec(value);
  if (parts !== null) {
    const [, whole = "", fraction = ""] = parts;
    return {
      whole: whole.length > 15 ? BigInt(whole) : Number(whole),
      billionths: billionthsOf(fraction),
      calendar: false,
    };
  }
  if (/^\d+(?:\.\d*)?[eE][+-]?\d+$/.test(value)) return fromNumber(Number(value), at, reject);
  return fromCalendar(value, at, reject);
}

function fromNumber(value: number, at: string, reject: Reject): Moment | null {
  if (!(value >= 0 && value < wholeMax)) return reject(at, expected, value);
  const whole = Math.floor(value);
  const billionths = Math.round((value - whole) * 1e9);
  return billionths >= 1e9
    ? { whole: whole + 1, billionths: billionths - 1e9, calendar: false }
    : { whole, billionths, calendar: false };
}

/** A calendar time, `2023-11-16 18:17:03.9799600` with up to 9 fractional digits, behind a comma in logs of Python, and an optional UTC offset. */
function fromCalendar(value: string, at: string, reject: Reject): Moment | null {
  const pattern = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?$/;
  const parts = pattern.exec(value);
  if (parts === null) return reject(at, expected, value);
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as Six;
  const inCalendar = month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
  if (!inCalendar || hour > 23 || minute > 59 || second > 59)
    return reject(at, "a date and time that exist in the calendar", value);
  const offset = (Number(parts[9] ?? 0) * 60 + Number(parts[10] ?? 0)) * (parts[8] === "-" ? -60 : 60);
  const whole = daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
  return { whole, billionths: billionthsOf(parts[7] ?? ""), calendar: true };
}

type Six = [number, number, number, number, number, number];

const billionthsOf = (fraction: string): number => Number(fraction.slice(0, 9).padEnd(9, "0"));

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
