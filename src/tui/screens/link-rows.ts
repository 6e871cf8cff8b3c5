import type { LinkUse } from "../../forecast/live/links.ts";
import type { RunRecord } from "../state/run-record.ts";
import { fewDetailsWords, soFarWords } from "./run-words.ts";

/** What a resource did over a time, ns and bytes. What is not known of it is NaN. */
export interface LinkRow {
  readonly name: string;
  /** Share of the time for which it was busy, over all and lately. */
  readonly share: number;
  readonly recent: number;
  readonly busyNs: number;
  readonly bytes: number;
  /** Bytes per ns of the time, and of that for which it was busy. */
  readonly rate: number;
  readonly busyRate: number;
  /** null for what has no turns, and where a result alone is left. */
  readonly turns: LinkUse["turns"];
}

/** The resources of a run, the time that their figures are of, and whether it goes on. */
export interface Links {
  readonly rows: readonly LinkRow[];
  readonly overNs: number;
  readonly from: "live" | "end" | "result";
  /** Of a run that goes on: what its figures are of, in words. */
  readonly soFar: string | null;
  /** Why turns are not known, in words; null where they are. */
  readonly few: string | null;
}

/** null while nothing is known. */
export function linksOfRun(run: RunRecord): Links | null {
  const { details, snapshot, forecast, rates } = run;
  if (details !== null) {
    const { links, endNs } = details;
    const rows = links.map((link) => rowOf(link, endNs, Number.NaN));
    return { rows, overNs: endNs, from: "end", soFar: null, few: null };
  }
  if (forecast !== null) {
    const overNs = forecast.throughput.durationS * 1e9;
    return {
      rows: forecast.resources.map((use) => rowOf({ ...use, turns: null }, overNs, Number.NaN)),
      overNs,
      from: "result",
      soFar: null,
      few: fewDetailsWords(run),
    };
  }
  if (snapshot === null) return null;
  const { links, simulatedNs } = snapshot;
  return {
    rows: links.map((link) => rowOf(link, simulatedNs, rates?.linkShares.get(link.name) ?? Number.NaN)),
    overNs: simulatedNs,
    from: "live",
    soFar: soFarWords(run),
    few: null,
  };
}

const rowOf = ({ name, busyNs, bytes, turns }: LinkUse, overNs: number, recent: number): LinkRow => ({
  name,
  share: overNs > 0 ? busyNs / overNs : Number.NaN,
  recent,
  busyNs,
  bytes,
  rate: overNs > 0 ? bytes / overNs : Number.NaN,
  busyRate: busyNs > 0 ? bytes / busyNs : Number.NaN,
  turns,
});

/** Time that demands stood in the queue in all, ns; NaN where there is none. On Cache, devices wait: that is another time. */
export const queuedNs = ({ turns }: LinkRow): number =>
  turns === null ? Number.NaN : turns.behindDemandNs + turns.behindBackgroundNs;

/** Whether work stood in the queue for longer than it was served: such rows have a sign. */
export const queuesLong = (row: LinkRow): boolean => queuedNs(row) > (row.turns?.demandNs ?? 0);
