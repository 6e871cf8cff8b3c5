import type { FollowedRequest } from "../forecast/timeline/timeline.ts";
import { flowEvent, type Place, serving, spanEvent } from "./timeline-events.ts";

/** Times between which a timeline shows anything, ns. */
export interface Shown {
  readonly fromNs: number;
  readonly toNs: number;
}

/** The part of a time span that is shown, in whole ns. */
const within = ({ fromNs, toNs }: Shown, ns: number): number => Math.round(Math.min(toNs, Math.max(fromNs, ns)));

/** When a request arrived and when it was over, as far as that is shown. */
function spanOf({ arrivalNs, lastTokenNs, completed }: FollowedRequest, shown: Shown): [number, number] {
  return [within(shown, arrivalNs), completed ? within(shown, lastTokenNs) : shown.toNs];
}

/** The phases of a request, as far as they are shown. */
export function* requestSpans(request: FollowedRequest, shown: Shown, place: Place): Generator<string> {
  const { scheduledNs, firstTokenNs, handover } = request;
  /** What has not happened comes after what is shown. */
  const known = (ns: number) => (Number.isNaN(ns) ? shown.toNs : within(shown, ns));
  const phase = (name: string, fromNs: number, toNs: number, args: readonly string[] = [], category = "phase") =>
    toNs > fromNs ? [spanEvent(name, category, place, fromNs, toNs, args)] : [];
  const [arrivalNs, overNs] = spanOf(request, shown);
  const firstNs = known(firstTokenNs);
  const tokens = [`"prompt_tokens":${request.promptTokens}`, `"output_tokens":${request.outputTokens}`];
  yield* phase(`request ${request.request}`, arrivalNs, overNs, tokens, serving);
  yield* phase("queue", arrivalNs, known(scheduledNs));
  yield* phase("first token", known(scheduledNs), firstNs);
  const sent = handover === null ? [] : phase("KV hand-over", known(handover.computedNs), known(handover.arrivedNs));
  const sentFirst = handover !== null && known(handover.computedNs) < firstNs;
  if (sentFirst) yield* sent;
  yield* phase("further tokens", firstNs, overNs);
  if (!sentFirst) yield* sent;
}

/** The flow of a request from its arrival over its steps. */
export function* requestFlow(
  request: FollowedRequest,
  shown: Shown,
  place: Place,
  placeOf: (track: number) => Place,
  id: number,
): Generator<string> {
  const [arrivalNs, overNs] = spanOf(request, shown);
  if (!(overNs > arrivalNs)) return;
  yield flowEvent("s", id, place, arrivalNs);
  for (const [i, track] of request.tracks.entries())
    yield flowEvent(i === request.tracks.length - 1 ? "f" : "t", id, placeOf(track), request.atNs[i]!);
}
