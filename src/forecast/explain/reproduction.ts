import type { InputRow } from "../../resolve/input-row.ts";
import type { Forecast } from "../forecast.ts";
import { isObject } from "../result-kinds.ts";
import type { Reproduction } from "./explanation.ts";

/** Figures of a run; what a result has beside them may come from other options. */
const figures = [
  "requests",
  "load",
  "latency",
  "latencyByClass",
  "throughput",
  "timeShare",
  "cache",
  "kv",
  "memory",
  "resources",
  "series",
] as const satisfies readonly (keyof Forecast)[];

/** Figures that differ are listed up to this many. */
const listed = 5;

/** Whether a run that was made again has the figures of the result: those that the result has. */
export function reproductionOf(result: Forecast, again: Forecast): Reproduction {
  const differing: string[] = [];
  for (const name of figures) collect(result[name], again[name], name, differing);
  const more = differing.length - listed;
  return {
    moecastVersion: result.moecastVersion,
    same: differing.length === 0,
    differing: [...differing.slice(0, listed), ...(more > 0 ? [`and ${more} more`] : [])],
  };
}

function collect(was: unknown, is: unknown, path: string, into: string[]): void {
  if (Array.isArray(was)) {
    const found: readonly unknown[] = Array.isArray(is) ? is : [];
    if (found.length !== was.length) into.push(`${path}: ${was.length} -> ${found.length} entries`);
    else for (const [i, value] of (was as unknown[]).entries()) collect(value, found[i], `${path}[${i}]`, into);
  } else if (isObject(was)) {
    for (const [key, value] of Object.entries(was))
      collect(value, isObject(is) ? is[key] : undefined, `${path}.${key}`, into);
  } else if (!Object.is(was, is)) into.push(`${path}: ${String(was)} -> ${is === undefined ? "none" : String(is)}`);
}

/** Inputs of a result that its scenario does not have now, or has otherwise; in words. What was laid over it is left out. */
export function differingInputs(result: readonly InputRow[], now: readonly InputRow[]): string[] {
  const key = ({ role, name }: InputRow) => `${role} ${name}`;
  const named = new Map(now.map((row) => [key(row), row]));
  return result
    .filter(({ role }) => role !== "override" && role !== "scenario")
    .flatMap((row) => {
      const found = named.get(key(row));
      if (found === undefined) return [`${key(row)} is not among them`];
      return found.sha256 === row.sha256 ? [] : [`${key(row)} has sha256 ${found.sha256}, and had ${row.sha256}`];
    });
}
