import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/units.ts";
import { formatRate } from "./link-columns.ts";
import { type LinkRow, type Links, waitedNs } from "./link-rows.ts";

/** Demands that wait for less than this share of the time that serving them takes hardly wait. */
const hardly = 0.1;

/** What a resource did, and what its waiting means, in sentences. */
export function linkWords(row: LinkRow, { overNs, from }: Links): string[] {
  const { share, busyNs, bytes, rate, busyRate, turns } = row;
  const moved =
    bytes > 0 ? ` It moved ${formatBytes(bytes)}: ${formatRate(rate)}, ${formatRate(busyRate)} while busy.` : "";
  const busy = `Busy for ${formatDuration(busyNs)} of ${formatDuration(overNs)}, ${formatPercent(share)}.${moved}`;
  if (turns === null)
    return [
      busy,
      from === "saved"
        ? "A saved result keeps busy time and bytes alone: run it again to see what waited."
        : "Nothing queues here: steps use it one at a time, and what they wait for is part of their own time.",
    ];
  const { demands, chunks, demandNs, backgroundNs, behindDemandNs, behindBackgroundNs } = turns;
  const work =
    `${formatCount(demands)} demands took ${formatDuration(demandNs)}` +
    (chunks > 0
      ? `, ${formatCount(chunks)} background chunks ${formatDuration(backgroundNs)}.`
      : "; no background work.");
  const waited = waitedNs(row);
  if (demands === 0 || waited === 0) return [busy, work, "No demand waited for its turn."];
  const waits =
    `Demands waited ${formatDuration(waited)} in all, ${formatDuration(waited / demands)} each: ` +
    `${formatDuration(behindDemandNs)} behind demands, ${formatDuration(behindBackgroundNs)} behind chunks.`;
  return [busy, work, waits, meaning(row, waited)];
}

/** The larger cause of waiting, and what would shorten it. */
function meaning({ turns, share }: LinkRow, waited: number): string {
  const { demandNs, behindDemandNs, behindBackgroundNs } = turns!;
  if (waited < hardly * demandNs) return "That is little beside their own time: turns are not what costs here.";
  if (behindBackgroundNs > behindDemandNs)
    return "Most of it is a chunk of background work in progress, which nothing interrupts: less work ahead of its time, or smaller chunks, shorten it.";
  const full =
    share > 0.8 ? "It is nearly always busy: only a faster one or fewer bytes help." : "It is free in between:";
  return share > 0.8
    ? `Demands queue behind one another. ${full}`
    : `Demands queue behind one another because several come at once. ${full} spreading them, or fewer at a time, shortens the waits.`;
}
