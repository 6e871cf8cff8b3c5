import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/units.ts";
import { formatRate } from "./link-columns.ts";
import { type LinkRow, type Links, waitedNs } from "./link-rows.ts";

/** Waits of less than this share of the time that serving takes are short. */
const short = 0.1;
/** What is busy for more than this share of the time is nearly always busy. */
const nearlyAlways = 0.8;

/** What a resource did, and what its waiting means, in sentences. */
export function linkWords(row: LinkRow, { overNs, few }: Links): string[] {
  const { name, share, busyNs, bytes, rate, busyRate, turns } = row;
  const moved = bytes > 0 ? ` ${formatBytes(bytes)}: ${formatRate(rate)}, ${formatRate(busyRate)} while busy.` : "";
  const busy = `Busy for ${formatDuration(busyNs)} of ${formatDuration(overNs)} (${formatPercent(share)}).${moved}`;
  if (turns === null)
    return [
      busy,
      few === null
        ? "Nothing queues here: steps use it one at a time, and their waits are their own."
        : `What waited is not known: ${few}.`,
    ];
  const { demands, chunks, demandNs, backgroundNs, behindDemandNs, behindBackgroundNs } = turns;
  const what = name.includes("front end ") ? "requests" : "demands";
  const background =
    chunks === 0 ? [] : [`${formatCount(chunks)} chunks of background work took ${formatDuration(backgroundNs)}.`];
  const work = `${formatCount(demands)} ${what} took ${formatDuration(demandNs)}`;
  const waited = waitedNs(row);
  if (demands === 0 || waited === 0) return [busy, `${work}. None waited for its turn.`, ...background];
  const behind =
    chunks === 0
      ? "behind one another"
      : `${formatDuration(behindDemandNs)} behind one another, ${formatDuration(behindBackgroundNs)} behind a chunk in progress`;
  const waits = ` and waited ${formatDuration(waited)}, ${formatDuration(waited / demands)} each: ${behind}.`;
  return [busy, work + waits, ...background, meaning(row, waited)];
}

/** The larger cause of waiting, and what would shorten it. */
function meaning({ turns, share }: LinkRow, waited: number): string {
  const { demandNs, behindDemandNs, behindBackgroundNs } = turns!;
  if (waited < short * demandNs) return "Their waits are short beside their own time: turns are not what costs here.";
  if (behindBackgroundNs > behindDemandNs)
    return "Nothing interrupts a chunk in progress: less background work, or smaller chunks, would shorten the waits.";
  return share > nearlyAlways
    ? "It is nearly always busy: a faster one, more of them or less work would shorten the waits."
    : "It has free time: several come at once. Fewer at once, or a faster one, would shorten the waits.";
}
