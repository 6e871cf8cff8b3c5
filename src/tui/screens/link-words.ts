import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/units.ts";
import { formatRate } from "./link-columns.ts";
import { type LinkRow, type Links, queuedNs, queuesLong } from "./link-rows.ts";

/** Queueing for less than this share of the time that serving takes is short. */
const short = 0.1;
/** What is busy for more than this share of the time is nearly always busy. */
const nearlyAlways = 0.8;

/** What a resource did, and what its queue means, in sentences. */
export function linkWords(row: LinkRow, { overNs, few }: Links): string[] {
  const { name, share, busyNs, bytes, rate, busyRate, turns } = row;
  const moved = bytes > 0 ? ` ${formatBytes(bytes)}: ${formatRate(rate)}, ${formatRate(busyRate)} while busy.` : "";
  const busy = `Busy for ${formatDuration(busyNs)} of ${formatDuration(overNs)} (${formatPercent(share)}).${moved}`;
  if (turns === null)
    return [
      busy,
      few === null ? "Nothing queues here: steps use it one at a time." : `What queued is not known: ${few}.`,
    ];
  const { demands, chunks, demandNs, backgroundNs, behindDemandNs, behindBackgroundNs } = turns;
  const what = name.includes("front end ") ? "requests" : "demands";
  const background =
    chunks === 0 ? [] : [`${formatCount(chunks)} chunks of background work took ${formatDuration(backgroundNs)}.`];
  const work = `${formatCount(demands)} ${what} took ${formatDuration(demandNs)}`;
  const queued = queuedNs(row);
  if (demands === 0 || queued === 0) return [busy, `${work}. None queued.`, ...background];
  const behind =
    chunks === 0
      ? "behind one another"
      : `${formatDuration(behindDemandNs)} behind one another, ${formatDuration(behindBackgroundNs)} behind a chunk in progress`;
  const sign = queuesLong(row) ? " (!: longer than they were served)" : "";
  const waits = ` and queued ${formatDuration(queued)}${sign}, ${formatDuration(queued / demands)} each: ${behind}.`;
  return [busy, work + waits, ...background, meaning(row, queued)];
}

/** The larger cause of queueing, and what would shorten it. */
function meaning({ turns, share }: LinkRow, queued: number): string {
  const { demandNs, behindDemandNs, behindBackgroundNs } = turns!;
  if (queued < short * demandNs) return "That is short beside their own time: the queue is not what costs here.";
  if (behindBackgroundNs > behindDemandNs)
    return "Nothing interrupts a chunk in progress: less background work, or smaller chunks, would shorten the queue.";
  return share > nearlyAlways
    ? "It is nearly always busy: a faster one, more of them or less work would shorten the queue."
    : "It has free time: several come at once. Fewer at once, or a faster one, would shorten the queue.";
}
