import { escapeUnsafe, oneLine } from "../core/printable.ts";
import type { Count } from "../forecast/timeline/timeline.ts";

/** Process and thread of an event. */
export interface Place {
  readonly pid: number;
  readonly tid: number;
}

/** Category of the spans that flows go through, and of the flows: some viewers bind them by category. */
export const serving = "serving";

/** Characters of a name that are shown. */
const nameMax = 120;

/** A text from outside as a JSON string of one line. */
export function jsonLine(text: string, max = nameMax): string {
  const line = oneLine(text.slice(0, 4 * max));
  return escapeUnsafe(JSON.stringify(line.length > max ? `${line.slice(0, max - 1)}…` : line));
}

/** Whole ns as µs, to the ns. */
function microseconds(ns: number): string {
  const whole = Math.floor(ns / 1000);
  const rest = ns - 1000 * whole;
  return rest === 0 ? `${whole}` : `${whole}.${`${rest}`.padStart(3, "0")}`;
}

/** A number of at most two decimals. */
export const twoDecimals = (value: number): string => `${Math.round(value * 100) / 100}`;

/** A span between two times in whole ns. `args`: fields as JSON. */
export function spanEvent(
  name: string,
  category: string,
  { pid, tid }: Place,
  beginNs: number,
  endNs: number,
  args: readonly string[],
): string {
  const more = args.length === 0 ? "" : `,"args":{${args.join(",")}}`;
  const time = `"ts":${microseconds(beginNs)},"dur":${microseconds(endNs - beginNs)}`;
  return `{"ph":"X","name":"${name}","cat":"${category}","pid":${pid},"tid":${tid},${time}${more}}`;
}

/** The name of a process or thread, and where it stands among the others. */
export function* namedEvents(what: "process" | "thread", { pid, tid }: Place, name: string, order: number) {
  const of = `"pid":${pid},"tid":${tid},"ts":0`;
  yield `{"ph":"M","name":"${what}_name","cat":"__metadata",${of},"args":{"name":${jsonLine(name)}}}`;
  yield `{"ph":"M","name":"${what}_sort_index","cat":"__metadata",${of},"args":{"sort_index":${order}}}`;
}

/** What a process counts from a time on. */
export function countEvent({ atNs, kind, values: [a, b] }: Count, pid: number): string {
  const percent = `"percent":${twoDecimals(100 * a)}`;
  const [name, args] = {
    requests: ["requests", `"running":${a},"waiting":${b}`] as const,
    kv: ["KV cache in use", percent] as const,
    cache: ["expert cache hits", percent] as const,
  }[kind];
  return `{"ph":"C","name":"${name}","cat":"counter","pid":${pid},"tid":0,"ts":${microseconds(atNs)},"args":{${args}}}`;
}

/** A point of a flow: its start, a step, or its end, inside the span that is open there. */
export function flowEvent(point: "s" | "t" | "f", id: number, { pid, tid }: Place, atNs: number): string {
  const bound = point === "f" ? ',"bp":"e"' : "";
  return `{"ph":"${point}","name":"request","cat":"${serving}","id":${id},"pid":${pid},"tid":${tid},"ts":${microseconds(atNs)}${bound}}`;
}
