import type { RowSample } from "./fitted.ts";
import { median } from "./text.ts";

export const expertRanks = [4, 8, 16, 32, 64, 128, 256] as const;

export const isEplb = ({ cells }: RowSample) => String(cells["distribution"]).endsWith("_eplb");

/** Median over batches of the time without EPLB over the time with it; NaN where nothing was measured. */
export function benefit(
  samples: readonly RowSample[],
  physicalExperts: number,
  ranks: number,
  within: (tokens: number) => boolean,
  time: (sample: RowSample) => number,
): number {
  const chosen = samples.filter(
    ({ cells }) =>
      cells["hidden_size"] === "7168" &&
      cells["num_experts"] === "256" &&
      cells["moe_ep_size"] === String(ranks) &&
      cells["moe_tp_size"] === "1" &&
      String(cells["distribution"]).startsWith("power_law_1.2") &&
      within(Number(cells["num_tokens"])),
  );
  const times = (wanted: (sample: RowSample) => boolean) =>
    new Map(chosen.filter(wanted).map((sample) => [sample.cells["num_tokens"], time(sample)]));
  const base = times((sample) => !isEplb(sample));
  const balanced = times((sample) => isEplb(sample) && sample.cells["num_slots"] === String(physicalExperts));
  return median([...base].flatMap(([tokens, ns]) => (balanced.has(tokens) ? ns / (balanced.get(tokens) ?? NaN) : [])));
}

/** The gain of large batches peaks between EP8 and EP64 and is gone at EP256. */
export function peakProblems(device: string, forecast: readonly number[]): string[] {
  const peak = expertRanks[forecast.indexOf(Math.max(...forecast))] ?? 0;
  const last = forecast.at(-1) ?? NaN;
  return [
    ...(peak < 8 || peak > 64 ? [`${device}: EPLB gains most at EP${peak}`] : []),
    ...(Math.abs(last - 1) < 0.1 ? [] : [`${device}: EPLB changes ${last.toFixed(2)} at one expert a rank`]),
  ];
}

/** Redundant experts are more weights to read: small batches gain less from them than from one physical expert each. */
export function redundancyProblems(device: string, none: readonly number[], redundant: readonly number[]): string[] {
  return expertRanks.flatMap((ranks, i) =>
    (redundant[i] ?? NaN) >= (none[i] ?? NaN) ? [`${device}: redundant experts help a small batch at EP${ranks}`] : [],
  );
}
