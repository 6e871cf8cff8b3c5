import { InvalidInputError, type Problem } from "../../core/errors.ts";
import type { TurnPrompts } from "./request-format.ts";
import type { FieldColumns } from "./table-columns.ts";
import { type TimeUnit, timeUnits } from "./time-unit.ts";

/** How a file is read, and what to do with its requests: cut, thin, limit, jitter, compress time, in this order. */
export interface LoadRequestsOptions {
  /** Columns of the file by what they hold, in place of a known layout. */
  readonly columns?: FieldColumns;
  /** Unit of the file's times, in place of the layout's own. */
  readonly timeUnit?: TimeUnit;
  /** Tokens in a prefix block, in place of what the file shows. */
  readonly blockTokens?: number;
  /** What prompts of later turns count, in place of what the file shows. */
  readonly turnPrompts?: TurnPrompts;
  /** Whether requests without arrival times are refused. */
  readonly arrivals?: "needed" | "optional";
  /** Part of the file to keep, ns from its earliest arrival: from the first, up to and without the second. */
  readonly fromNs?: number;
  readonly untilNs?: number;
  /** Share of the requests to keep, in (0, 1], each drawn by its row; a smaller share keeps a subset of a larger one. */
  readonly thin?: number;
  /** Keeps the first n requests of the file (of those that cutting and thinning left). */
  readonly limit?: number;
  /** Quantum of the file's timestamps, ns: each arrival moves by a uniform draw inside it. */
  readonly jitterQuantumNs?: number;
  /** Factor on the arrival rate by compressing time, waits between turns too; nothing is repeated. */
  readonly rateScale?: number;
  /** Class of every request, in place of the file's own. */
  readonly class?: string;
  /** Routing domain of every request. */
  readonly domain?: string;
  /** Seed of thinning and jitter. */
  readonly seed?: number;
  /** Cap on the bytes after decompression; 2 GiB unless given. */
  readonly decompressedBytesMax?: number;
}

/** Refuses options outside their range, all at once. */
export function checkLoadOptions(options: LoadRequestsOptions): void {
  const problems: Problem[] = [];
  const check = (at: keyof LoadRequestsOptions, expected: string, accepts: (value: number) => boolean): void => {
    const value = options[at];
    if (value !== undefined && !(typeof value === "number" && accepts(value)))
      problems.push({ at, expected, found: value });
  };
  const oneOf = (at: keyof LoadRequestsOptions, words: readonly string[]): void => {
    const value = options[at];
    if (value !== undefined && !words.some((word) => word === value))
      problems.push({ at, expected: `one of ${words.join(", ")}`, found: value });
  };
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  oneOf("timeUnit", Object.keys(timeUnits));
  oneOf("turnPrompts", ["whole", "added"]);
  check("fromNs", "whole nanoseconds, 0 or more", (value) => Number.isInteger(value) && value >= 0);
  check(
    "untilNs",
    "whole nanoseconds, more than fromNs",
    (value) => Number.isInteger(value) && value > (options.fromNs ?? 0),
  );
  check("thin", "a share above 0 and at most 1", (value) => value > 0 && value <= 1);
  check("limit", "a whole number above 0", whole);
  check("jitterQuantumNs", "whole nanoseconds above 0", whole);
  check("rateScale", "a finite factor above 0", (value) => value > 0 && Number.isFinite(value));
  check("blockTokens", "a whole number above 0", whole);
  check("seed", "a whole number, 0 or more", (value) => Number.isSafeInteger(value) && value >= 0);
  check("decompressedBytesMax", "a whole number above 0", whole);
  if (problems.length > 0) throw new InvalidInputError(problems);
}
