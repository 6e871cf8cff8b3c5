import { expertTable } from "../../src/calibrate/kernel-tables/readers/grouped-gemm.ts";
import { groupedGemmFamily } from "../../src/calibrate/maps/families/grouped-gemm.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { fitFamily, type RowSample, ratesOf, rowSamples, tableFiles } from "./fitted.ts";
import { median, row } from "./text.ts";

const series = [
  ["dsv3_r1", "fp8_block"],
  ["qwen3_235b", "fp8_block"],
  ["mixtral_8x7b", "bfloat16"],
] as const;
const expertRanks = [1, 4, 8, 16, 32, 64] as const;
const small = (tokens: number) => tokens <= 64;
const large = (tokens: number) => tokens >= 2048;

interface Penalty {
  readonly ranks: number;
  readonly measured: readonly [small: number, large: number];
  readonly forecast: readonly [small: number, large: number];
}

/**
 * Time under power_law_1.2 over time under a balanced load, medians over the token grid; H200, TensorRT-LLM, no expert
 * tensor parallelism. Returns what breaks the shape of the table.
 */
export async function checkSkew(folder: string): Promise<string[]> {
  const [file] = tableFiles(folder, /^h200_sxm__trtllm-[^_]*\.csv\.gz$/);
  const rates = ratesOf("h200-sxm");
  if (file === undefined || rates === null) return [`no H200 TensorRT-LLM table in ${folder}`];
  const samples = await rowSamples(file, expertTable);
  const problems: string[] = [];
  console.log(
    "\nSkew penalty, power_law_1.2 / balanced, small (<= 64 tokens) and large (>= 2,048) batches, H200 TensorRT-LLM",
  );
  row(["series, EP", "small meas.", "forecast", "large meas.", "forecast"]);
  for (const [model, dtype] of series) {
    const ofFormat = samples.filter(({ cells }) => cells["dtype"] === dtype && cells["model"] !== "llama4_scout");
    const { ns } = fitFamily<GroupedGemmOp>(ofFormat, groupedGemmFamily, rates);
    const ofModel = ofFormat.filter(({ cells }) => cells["model"] === model && cells["tp"] === "1");
    const penalties = expertRanks.flatMap((ranks) => penaltyAt(ofModel, ranks, ns) ?? []);
    for (const { ranks, measured, forecast } of penalties)
      row([
        `${model} ${dtype} EP${ranks}`,
        measured[0].toFixed(2),
        forecast[0].toFixed(2),
        measured[1].toFixed(2),
        forecast[1].toFixed(2),
      ]);
    problems.push(...shapeProblems(model, penalties));
  }
  return problems;
}

function penaltyAt(samples: readonly RowSample[], ranks: number, ns: (op: GroupedGemmOp) => number): Penalty | null {
  const at = (dist: string) =>
    new Map(
      samples
        .filter(({ cells }) => cells["ep"] === String(ranks) && cells["dist"] === dist)
        .map((sample) => [Number(sample.cells["tokens"]), sample]),
    );
  const balanced = at("balanced");
  const skewed = at("power_law_1.2");
  if (balanced.size === 0 || skewed.size === 0) return null;
  const ratios = (time: (sample: RowSample) => number, within: (tokens: number) => boolean) =>
    median(
      [...skewed].flatMap(([tokens, sample]) => {
        const base = balanced.get(tokens);
        return base !== undefined && within(tokens) ? time(sample) / time(base) : [];
      }),
    );
  const measured = (sample: RowSample) => sample.ns;
  const forecast = (sample: RowSample) => ns(sample.op as GroupedGemmOp);
  return {
    ranks,
    measured: [ratios(measured, small), ratios(measured, large)],
    forecast: [ratios(forecast, small), ratios(forecast, large)],
  };
}

/** Small batches hardly feel skew, large ones the more the more ranks there are. */
function shapeProblems(model: string, penalties: readonly Penalty[]): string[] {
  const problems: string[] = [];
  let last = 0;
  for (const { ranks, forecast } of penalties) {
    if (!(forecast[0] > 0.75 && forecast[0] < 1.25))
      problems.push(`${model} EP${ranks}: a small batch pays ${forecast[0].toFixed(2)} for skew`);
    if (forecast[1] < last) problems.push(`${model} EP${ranks}: a large batch pays less than with fewer ranks`);
    last = forecast[1];
  }
  return problems;
}
