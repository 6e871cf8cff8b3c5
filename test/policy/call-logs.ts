import fc from "fast-check";
import type { CallLog } from "../../src/policy/cache/expert-cache.ts";

/** A log from lists of keys. */
export function logOf(calls: readonly (readonly number[])[]): CallLog {
  const starts = new Uint32Array(calls.length + 1);
  calls.forEach((keys, call) => {
    starts[call + 1] = (starts[call] ?? 0) + keys.length;
  });
  return { keys: Uint32Array.from(calls.flat()), starts, calls: calls.length };
}

/** The calls of a log as lists of keys. */
export function callsOf(log: CallLog): number[][] {
  return Array.from({ length: log.calls }, (_, call) => [
    ...log.keys.subarray(log.starts[call] ?? 0, log.starts[call + 1] ?? 0),
  ]);
}

/** Calls of distinct keys over one layer of `experts`, of any size up to all of them. */
export const anyCalls = (experts: number, callsMax = 60): fc.Arbitrary<number[][]> =>
  fc.array(fc.uniqueArray(fc.nat(experts - 1), { maxLength: experts }), { maxLength: callsMax });

/** Calls of top-2 size that favour low keys, as routed tokens do. */
export const skewedCalls = (experts: number, callsMax = 120): fc.Arbitrary<number[][]> => {
  const key = fc.oneof(fc.nat(experts - 1), fc.nat(Math.ceil(experts / 3) - 1));
  return fc.array(fc.uniqueArray(key, { minLength: 1, maxLength: 2 }), { maxLength: callsMax });
};
