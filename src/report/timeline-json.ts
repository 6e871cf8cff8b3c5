import { escapeUnsafe, oneLine } from "../core/printable.ts";
import { formatDuration } from "../core/units.ts";
import { version } from "../core/version.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { requestsMax } from "../forecast/timeline/request-flows.ts";
import { componentOf, spanKinds } from "../forecast/timeline/span-kinds.ts";
import type { Count, FollowedRequest, Timeline } from "../forecast/timeline/timeline.ts";
import type { Exporter } from "./exporter.ts";
import { componentLabel } from "./labels.ts";
import { orderedSpans, spanNames, spanNumbers } from "./timeline-spans.ts";

/** Characters of a name that are shown. */
const nameMax = 120;

const json = (text: string): string => escapeUnsafe(JSON.stringify(text));
const shownName = (text: string, max = nameMax): string => {
  const line = oneLine(text.slice(0, 4 * max));
  return json(line.length > max ? `${line.slice(0, max - 1)}…` : line);
};

/** Whole ns as µs, to the ns. */
function microseconds(ns: number): string {
  const whole = Math.floor(ns / 1000);
  const rest = ns - 1000 * whole;
  return rest === 0 ? `${whole}` : `${whole}.${`${rest}`.padStart(3, "0")}`;
}

/** Beginning and end of the fields that all spans of a kind have in common. */
const kinds = spanKinds.map((kind) => {
  const component = componentOf(kind);
  const numbers = spanNumbers[kind] ?? [];
  return {
    numbers,
    numbered: numbers[0] === "layer",
    name: spanNames[kind] ?? (component === null || kind === "router" ? nameOfOther(kind) : componentLabel(component)),
    category: component ?? categoryOf(kind),
  };
});

function nameOfOther(kind: string): string {
  return kind.replace(/^link/, "").toLowerCase();
}

function categoryOf(kind: string): string {
  if (kind.endsWith("Step")) return "step";
  if (kind.startsWith("rank")) return "rank";
  return kind === "layer" ? "layer" : kind.startsWith("link") ? "link" : kind;
}

/** One event per line. `firstPid`: of the first process. */
function* eventsOf(timeline: Timeline, prefix: string, firstPid: number): Generator<string> {
  const { processes, tracks, spans, counts, requests } = timeline;
  const requestsPid = firstPid + processes.length;
  const pids = tracks.map(({ process }) => firstPid + process);
  const tids = tracks.map((_, i) => i + 1);
  const { order, beginNs, endNs } = orderedSpans(spans);
  const used = new Set<number>();
  for (const i of order) used.add(spans.track[i]!);
  const usedProcesses = new Set([...used].map((track) => tracks[track]!.process));
  for (const [i, name] of processes.entries())
    if (usedProcesses.has(i)) yield* named("process", firstPid + i, 0, `${prefix}${name}`, firstPid + i);
  if (requests.length > 0) yield* named("process", requestsPid, 0, `${prefix}requests`, firstPid - 1);
  for (const track of [...used].sort((a, b) => a - b))
    yield* named("thread", pids[track]!, tids[track]!, tracks[track]!.name, tids[track]!);
  for (const { request } of requests) yield* named("thread", requestsPid, request + 1, `request ${request}`, request);
  for (const i of order) {
    const { name, category, numbers, numbered } = kinds[spans.kind[i]!]!;
    const track = spans.track[i]!;
    const args: string[] = [];
    for (let n = 0; n < numbers.length; n++) args.push(`"${numbers[n]}":${twoDigits(spans.numbers[3 * i + n]!)}`);
    const text = numbered ? `${name} ${spans.numbers[3 * i]!}` : name;
    yield span(text, category, pids[track]!, tids[track]!, beginNs[i]!, endNs[i]!, args);
  }
  for (const count of counts) yield countEvent(count, firstPid + count.process);
  for (const request of requests) yield* requestEvents(request, timeline, requestsPid, pids, tids);
}

function span(
  name: string,
  category: string,
  pid: number,
  tid: number,
  beginNs: number,
  endNs: number,
  args: readonly string[],
): string {
  const more = args.length === 0 ? "" : `,"args":{${args.join(",")}}`;
  const time = `"ts":${microseconds(beginNs)},"dur":${microseconds(endNs - beginNs)}`;
  return `{"ph":"X","name":"${name}","cat":"${category}","pid":${pid},"tid":${tid},${time}${more}}`;
}

function* named(what: "process" | "thread", pid: number, tid: number, name: string, place: number): Generator<string> {
  const of = `"pid":${pid},"tid":${tid},"ts":0`;
  yield `{"ph":"M","name":"${what}_name","cat":"__metadata",${of},"args":{"name":${shownName(name)}}}`;
  yield `{"ph":"M","name":"${what}_sort_index","cat":"__metadata",${of},"args":{"sort_index":${place}}}`;
}

const twoDigits = (value: number): string => `${Math.round(value * 100) / 100}`;

function countEvent({ atNs, kind, values: [a, b] }: Count, pid: number): string {
  const percent = (share: number) => `"percent":${twoDigits(100 * share)}`;
  const [name, args] = {
    requests: ["requests", `"running":${a},"waiting":${b}`],
    kv: ["KV cache in use", percent(a)],
    cache: ["expert cache hits", percent(a)],
  }[kind] as [string, string];
  return `{"ph":"C","name":"${name}","cat":"counter","pid":${pid},"tid":0,"ts":${microseconds(atNs)},"args":{${args}}}`;
}

/** The phases of a request, and the flow from its arrival over its steps. */
function* requestEvents(
  request: FollowedRequest,
  { endNs }: Timeline,
  pid: number,
  pids: readonly number[],
  tids: readonly number[],
): Generator<string> {
  const { arrivalNs, scheduledNs, firstTokenNs, lastTokenNs, handover, tracks, atNs } = request;
  const tid = request.request + 1;
  const phase = (name: string, fromNs: number, toNs: number, args: readonly string[] = []) =>
    toNs > fromNs ? [span(name, "request", pid, tid, fromNs, toNs, args)] : [];
  const overNs = request.completed ? lastTokenNs : endNs;
  const known = (ns: number) => (Number.isNaN(ns) ? overNs : ns);
  yield* phase(`request ${request.request}`, arrivalNs, overNs, [
    `"prompt_tokens":${request.promptTokens}`,
    `"output_tokens":${request.outputTokens}`,
  ]);
  yield* phase("queue", arrivalNs, known(scheduledNs));
  yield* phase("first token", known(scheduledNs), known(firstTokenNs));
  const sent = handover === null ? [] : phase("KV hand-over", handover.computedNs, handover.arrivedNs);
  if (handover !== null && handover.computedNs < known(firstTokenNs)) yield* sent;
  yield* phase("further tokens", known(firstTokenNs), overNs);
  if (handover !== null && handover.computedNs >= known(firstTokenNs)) yield* sent;
  if (!(overNs > arrivalNs)) return;
  const flow = (ph: string, at: number, of: number, thread: number, more = "") =>
    `{"ph":"${ph}","name":"request","cat":"flow","id":${pid * 1e7 + tid},"pid":${of},"tid":${thread},"ts":${microseconds(at)}${more}}`;
  yield flow("s", arrivalNs, pid, tid);
  for (const [i, track] of tracks.entries()) {
    const last = i === tracks.length - 1;
    yield flow(last ? "f" : "t", atNs[i]!, pids[track]!, tids[track]!, last ? ',"bp":"e"' : "");
  }
}

/** What a timeline lacks, in words; null where all of its window is there. */
export const cutLabel = ({ cutNs, endNs, window, spans }: Timeline): string | null =>
  cutNs === null
    ? null
    : `whole up to ${formatDuration(cutNs)} of ${formatDuration(Math.min(endNs, window.toNs))}: cut after ${spans.count} spans`;

function metadataOf(forecasts: readonly Forecast[], timelines: readonly (Timeline | undefined)[]): string {
  const entries: [string, string][] = [["generator", `moecast ${version}`]];
  for (const [i, { scenario }] of forecasts.entries()) {
    const timeline = timelines[i];
    const of = forecasts.length > 1 ? `${i + 1}. ` : "";
    entries.push([`${of}scenario`, scenario.name]);
    if (timeline === undefined) continue;
    const { window, endNs } = timeline;
    entries.push([
      `${of}window`,
      `${formatDuration(window.fromNs)} to ${formatDuration(Math.min(endNs, window.toNs))}`,
    ]);
    entries.push([`${of}shown`, cutLabel(timeline) ?? "all of the window"]);
    entries.push([
      `${of}requests followed`,
      `the first ${requestsMax} that are in a step of the window: ${timeline.requests.map(({ request }) => request).join(", ")}`,
    ]);
  }
  return `{${entries.map(([key, value]) => `${json(key)}:${shownName(value, 1000)}`).join(",")}}`;
}

/** What happened in the runs, as trace events for Perfetto and chrome://tracing; the processes of one scenario after those of the other. */
export const timelineExport: Exporter = {
  description:
    "steps, layers, ranks, links and requests over time: trace events for ui.perfetto.dev (JSON; gzipped if the path ends with .gz)",
  appends: false,
  reportsFailures: false,
  needsDetails: true,
  needsTimeline: true,
  render: (forecasts, { details = [] } = {}) => {
    const timelines = forecasts.map((_, i) => details[i]?.timeline);
    const lines: string[] = [];
    // Process 0 is that of the system in some viewers.
    let firstPid = 2;
    for (const [i, { scenario }] of forecasts.entries()) {
      const timeline = timelines[i];
      if (timeline === undefined) continue;
      const prefix = forecasts.length > 1 ? `${scenario.name}: ` : "";
      for (const event of eventsOf(timeline, prefix, firstPid)) lines.push(event);
      firstPid += timeline.processes.length + 2;
    }
    return `{"displayTimeUnit":"ns","otherData":${metadataOf(forecasts, timelines)},"traceEvents":[\n${lines.join(",\n")}\n]}\n`;
  },
};
