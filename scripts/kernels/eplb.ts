import { wideEpTable } from "../../src/calibrate/kernel-tables/readers/grouped-gemm.ts";
import { groupedGemmFamily } from "../../src/calibrate/maps/families/grouped-gemm.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { benefit, expertRanks, isEplb, peakProblems, redundancyProblems } from "./eplb-benefit.ts";
import { fitFamily, ratesOf, rowSamples, tableFiles } from "./fitted.ts";
import { row } from "./text.ts";

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
