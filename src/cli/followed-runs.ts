import { UsageError } from "../core/errors.ts";
import { DetailsWatch } from "../forecast/details/details-watch.ts";
import type { RunDetails } from "../forecast/details/run-details.ts";
import { always } from "../forecast/timeline/span-store.ts";
import { TimelineRecorder } from "../forecast/timeline/timeline-recorder.ts";
import { cutLabel } from "../report/timeline-json.ts";

/** Spans of all timelines in a file; with them it has less than 32 MB before it is gzipped. */
const timelineSpansMax = 250_000;

/** The part of a run that a timeline shows, ns after the first arrival. */
export interface TimelineOptions {
  readonly traceFrom?: number;
  readonly traceTo?: number;
}

/**
 * Makes who follows the next run, null where no export needs it. Throws UsageError for a part of a run that no export shows, or that
 * is none. `needs`: what exports are made from; absent without exports.
 */
export function followedRuns(
  { traceFrom, traceTo }: TimelineOptions,
  needs: { readonly details: boolean; readonly timeline: boolean } | undefined,
  scenarios: number,
): () => DetailsWatch | null {
  const window = { fromNs: traceFrom ?? always.fromNs, toNs: traceTo ?? always.toNs };
  if (needs?.timeline !== true && (traceFrom ?? traceTo) !== undefined)
    throw new UsageError("--trace-from and --trace-to go with --export timeline=PATH");
  if (!(window.toNs > window.fromNs)) throw new UsageError("--trace-to: expected a time after that of --trace-from");
  const room = Math.max(1, Math.floor(timelineSpansMax / scenarios));
  return () => {
    if (needs?.details !== true) return null;
    return new DetailsWatch(needs.timeline ? new TimelineRecorder(window, room) : null);
  };
}

/** What is to be said of a timeline: that it is cut, or shows nothing; nothing of a whole one, and where there is none. */
export function timelineNote({ timeline }: RunDetails, file: string): string {
  if (timeline === undefined) return "";
  const cut = cutLabel(timeline);
  if (cut !== null) return `${file}: timeline ${cut}; --trace-from and --trace-to choose another part\n`;
  return timeline.spans.count === 0 ? `${file}: nothing happens in this part of the timeline\n` : "";
}
