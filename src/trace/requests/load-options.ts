import { InvalidInputError, type Problem } from "../../core/errors.ts";

/** What to do with the requests of a file, in this order: thin, limit, jitter, compress time. */
export interface LoadRequestsOptions {
  /** Share of the requests to keep, in (0, 1], each drawn by its row; a smaller share keeps a subset of a larger one. */
  readonly thin?: number;
  /** Keeps the first n requests of the file (of those that thinning left). */
  readonly limit?: number;
  /** Quantum of the file's timestamps, ns: each arrival moves by a uniform draw inside it. */
  readonly jitterQuantumNs?: number;
  /** Factor on the arrival rate by compressing time; nothing is repeated. */
  readonly rateScale?: number;
  /** Class of every request, in place of the file's own. */
  readonly class?: string;
  /** Routing domain of every request. */
  readonly domain?: string;
  /** Tokens in a prefix block, in place of the layout's own. */
  readonly blockTokens?: number;
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
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  check("thin", "a share above 0 and at most 1", (value) => value > 0 && value <= 1);
  check("limit", "a whole number above 0", whole);
  check("jitterQuantumNs", "whole nanoseconds above 0", whole);
  check("rateScale", "a finite factor above 0", (value) => value > 0 && Number.isFinite(value));
  check("blockTokens", "a whole number above 0", whole);
  check("seed", "a whole number, 0 or more", (value) => Number.isSafeInteger(value) && value >= 0);
  check("decompressedBytesMax", "a whole number above 0", whole);
  if (problems.length > 0) throw new InvalidInputError(problems);
}
