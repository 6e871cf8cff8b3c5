import { wideEpTable } from "../../src/calibrate/kernel-tables/readers/grouped-gemm.ts";
import { groupedGemmFamily } from "../../src/calibrate/maps/families/grouped-gemm.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { fitFamily, type RowSample, ratesOf, rowSamples, tableFiles } from "./fitted.ts";
import { median, row } from "./text.ts";

const expertRanks = [4, 8, 16, 32, 64, 128, 256] as const;
const physicalCounts = [256, 288] as const;
const small = (tokens: number) => tokens <= 256;
const large = (tokens: number) => tokens >= 2048;

/** Time without EPLB over time with it, DeepSeek-V3 shape, power_law_1.2. Returns what breaks the shape of the table. */
export async function checkEplb(folder: string): Promise<string[]> {
  const problems: string[] = [];
  console.log("\nEPLB benefit, base / EPLB, 7168/2048/8/256, power_law_1.2, measured | forecast");
  row(["system, physical experts, batch", ...expertRanks.map((ranks) => `EP${ranks}`)], 34, 14);
  for (const file of tableFiles(folder, /__trtllm-.*__wideep_moe_perf\.csv\.gz$/)) {
    const samples = await rowSamples(file, wideEpTable);
    const device = samples[0]?.device ?? "";
    const rates = ratesOf(device);
    if (rates === null || !samples.some(isEplb)) continue;
    const { ns } = fitFamily<GroupedGemmOp>(samples, groupedGemmFamily, rates);
    const forecasts = new Map<string, number[]>();
    for (const physicalExperts of physicalCounts)
      for (const [name, within] of [
        ["<= 256 tokens", small],
        [">= 2,048 tokens", large],
      ] as const) {
        const measured = expertRanks.map((ranks) =>
          benefit(samples, physicalExperts, ranks, within, (sample) => sample.ns),
        );
        const forecast = expertRanks.map((ranks) =>
          benefit(samples, physicalExperts, ranks, within, (sample) => ns(sample.op as GroupedGemmOp)),
        );
        row(
          [
            `${device} ${physicalExperts} ${name}`,
            ...measured.map((value, i) =>
              Number.isNaN(value) ? "-" : `${value.toFixed(2)} | ${(forecast[i] ?? NaN).toFixed(2)}`,
            ),
          ],
          34,
          14,
        );
        forecasts.set(`${physicalExperts} ${name}`, forecast);
      }
    const of = (key: string) => forecasts.get(key) ?? [];
    problems.push(
      ...peakProblems(device, of("256 >= 2,048 tokens")),
      ...redundancyProblems(device, of("256 <= 256 tokens"), of("288 <= 256 tokens")),
    );
  }
  return problems;
}

const isEplb = ({ cells }: RowSample) => String(cells["distribution"]).endsWith("_eplb");

function benefit(
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
function peakProblems(device: string, forecast: readonly number[]): string[] {
  const peak = expertRanks[forecast.indexOf(Math.max(...forecast))] ?? 0;
  const last = forecast.at(-1) ?? NaN;
  return [
    ...(peak < 8 || peak > 64 ? [`${device}: EPLB gains most at EP${peak}`] : []),
    ...(Math.abs(last - 1) < 0.1 ? [] : [`${device}: EPLB changes ${last.toFixed(2)} at one expert a rank`]),
  ];
}

/** Redundant experts are more weights to read: small batches gain less from them than from one physical expert each. */
function redundancyProblems(device: string, none: readonly number[], redundant: readonly number[]): string[] {
  return expertRanks.flatMap((ranks, i) =>
    (redundant[i] ?? NaN) >= (none[i] ?? NaN) ? [`${device}: redundant experts help a small batch at EP${ranks}`] : [],
  );
}
