import { formatDuration } from "../core/units.ts";
import { version } from "../core/version.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { requestsMax } from "../forecast/timeline/request-flows.ts";
import type { FollowedRequest, Timeline } from "../forecast/timeline/timeline.ts";
import type { Exporter } from "./exporter.ts";
import { countEvent, jsonLine, namedEvents, type Place, spanEvent, twoDecimals } from "./timeline-events.ts";
import { requestFlow, requestSpans } from "./timeline-requests.ts";
import { orderedSpans, spanWords } from "./timeline-spans.ts";

/** Flows of one file are told apart by their process and request. */
const requestsOfProcess = 10_000_000;

/** Up to when a timeline shows anything, ns. */
const untilNs = ({ window, endNs, cutNs }: Timeline): number =>
  Math.floor(Math.min(window.toNs, endNs, cutNs ?? Number.POSITIVE_INFINITY));

/** The events of one run. `firstPid`: of its first process. */
function* eventsOf(timeline: Timeline, prefix: string, firstPid: number): Generator<string> {
  const { processes, tracks, spans, counts, requests } = timeline;
  const requestsPid = firstPid + processes.length;
  const places = tracks.map(({ process }, i): Place => ({ pid: firstPid + process, tid: i + 1 }));
  const placeOf = ({ request }: FollowedRequest): Place => ({ pid: requestsPid, tid: request + 1 });
  const { order, beginNs, endNs } = orderedSpans(spans);
  const used = new Set<number>();
  for (const i of order) used.add(spans.track[i]!);
  const busy = new Set([
    ...Array.from(used, (track) => tracks[track]!.process),
    ...counts.map(({ process }) => process),
  ]);
  if (requests.length > 0)
    yield* namedEvents("process", { pid: requestsPid, tid: 0 }, `${prefix}requests`, firstPid - 1);
  for (const [i, name] of processes.entries())
    if (busy.has(i)) yield* namedEvents("process", { pid: firstPid + i, tid: 0 }, `${prefix}${name}`, firstPid + i);
  for (const track of [...used].sort((a, b) => a - b))
    yield* namedEvents("thread", places[track]!, tracks[track]!.name, track);
  for (const request of requests)
    yield* namedEvents("thread", placeOf(request), `request ${request.request}`, request.request);
  const shown = { fromNs: timeline.window.fromNs, toNs: untilNs(timeline) };
  // Before the steps: some viewers go through flows in the order in which they read spans.
  for (const request of requests) yield* requestSpans(request, shown, placeOf(request));
  for (const i of order) {
    const { name, category, numbers } = spanWords[spans.kind[i]!]!;
    const args = numbers.map((word, n) => `"${word}":${twoDecimals(spans.numbers[3 * i + n]!)}`);
    const text = numbers[0] === "layer" ? `${name} ${spans.numbers[3 * i]!}` : name;
    yield spanEvent(text, category, places[spans.track[i]!]!, beginNs[i]!, endNs[i]!, args);
  }
  for (const count of counts) yield countEvent(count, firstPid + count.process);
  for (const request of requests) {
    const id = requestsPid * requestsOfProcess + request.request;
    yield* requestFlow(request, shown, placeOf(request), (track) => places[track]!, id);
  }
}

/** What a timeline lacks, in words; null where all of its window is there. */
export const cutLabel = (timeline: Timeline): string | null =>
  timeline.cutNs === null
    ? null
    : `whole up to ${formatDuration(timeline.cutNs)} of ${formatDuration(Math.min(timeline.endNs, timeline.window.toNs))}: cut after ${timeline.spans.count} spans`;

function metadataOf(forecasts: readonly Forecast[], timelines: readonly (Timeline | undefined)[]): string {
  const entries: [string, string][] = [["generator", `moecast ${version}`]];
  for (const [i, { scenario }] of forecasts.entries()) {
    const timeline = timelines[i];
    const of = forecasts.length > 1 ? `${i + 1}. ` : "";
    entries.push([`${of}scenario`, scenario.name]);
    if (timeline === undefined) continue;
    const { window, endNs, requests } = timeline;
    const followed = requests.map(({ request }) => request).join(", ");
    entries.push(
      [`${of}window`, `${formatDuration(window.fromNs)} to ${formatDuration(Math.min(endNs, window.toNs))}`],
      [`${of}shown`, cutLabel(timeline) ?? "all of the window"],
      [`${of}requests`, `the first ${requestsMax} that are in a step of the window: ${followed}`],
    );
  }
  return `{${entries.map(([key, value]) => `"${key}":${jsonLine(value, 1000)}`).join(",")}}`;
}

/** What happened in the runs, as trace events for Perfetto and chrome://tracing; the processes of one scenario after those of the other. */
export const timelineExport: Exporter = {
  appends: false,
  reportsFailures: false,
  needsDetails: true,
  needsTimeline: true,
  render: (forecasts, { details = [] } = {}) => {
    const timelines = forecasts.map((_, i) => details[i]?.timeline);
    const lines: string[] = [];
    // Process 0 is the system in some viewers.
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
