import type { FollowedRequest } from "../forecast/timeline/timeline.ts";
import { flowEvent, type Place, serving, spanEvent } from "./timeline-events.ts";

/** Times between which a timeline shows anything, ns. */
export interface Shown {
  readonly fromNs: number;
  readonly toNs: number;
}

/** The phases of a request, as far as they are shown, and the flow from its arrival over its steps. */
export function* requestEvents(
  request: FollowedRequest,
  shown: Shown,
  place: Place,
  placeOf: (track: number) => Place,
  flowId: number,
): Generator<string> {
  const { scheduledNs, firstTokenNs, lastTokenNs, handover, tracks, atNs } = request;
  const within = (ns: number) => Math.min(shown.toNs, Math.max(shown.fromNs, ns));
  /** What has not happened comes after what is shown. */
  const known = (ns: number) => (Number.isNaN(ns) ? shown.toNs : within(ns));
  const phase = (name: string, fromNs: number, toNs: number, args: readonly string[] = [], category = "phase") =>
    toNs > fromNs ? [spanEvent(name, category, place, fromNs, toNs, args)] : [];
  const arrivalNs = within(request.arrivalNs);
  const overNs = request.completed ? within(lastTokenNs) : shown.toNs;
  const firstNs = known(firstTokenNs);
  const tokens = [`"prompt_tokens":${request.promptTokens}`, `"output_tokens":${request.outputTokens}`];
  yield* phase(`request ${request.request}`, arrivalNs, overNs, tokens, serving);
  yield* phase("queue", arrivalNs, known(scheduledNs));
  yield* phase("first token", known(scheduledNs), firstNs);
  const sent = handover === null ? [] : phase("KV hand-over", within(handover.computedNs), within(handover.arrivedNs));
  const sentFirst = handover !== null && within(handover.computedNs) < firstNs;
  if (sentFirst) yield* sent;
  yield* phase("further tokens", firstNs, overNs);
  if (!sentFirst) yield* sent;
  if (!(overNs > arrivalNs)) return;
  yield flowEvent("s", flowId, place, arrivalNs);
  for (const [i, track] of tracks.entries())
    yield flowEvent(i === tracks.length - 1 ? "f" : "t", flowId, placeOf(track), atNs[i]!);
}
