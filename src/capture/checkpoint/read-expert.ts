import type { MoePlan } from "../decoder/plan.ts";
import type { ExpertWeights, WeightSource } from "../decoder/weights.ts";
import { expertTensor } from "./planned-tensors.ts";
import { readTransposed } from "./read-transposed.ts";

/** One expert's matrices in the form they are multiplied in, whatever their layout in the checkpoint. */
export async function readExpert(
  weights: WeightSource,
  plan: MoePlan,
  hidden: number,
  expert: number,
): Promise<ExpertWeights> {
  return plan.expert.kind === "separate"
    ? readSeparate(weights, plan, plan.expert, hidden, expert)
    : readFused(weights, plan, plan.expert, hidden, expert);
}

type Layout<Kind> = Extract<MoePlan["expert"], { readonly kind: Kind }>;

async function readSeparate(
  weights: WeightSource,
  { experts, expertWidth: width }: MoePlan,
  layout: Layout<"separate">,
  hidden: number,
  expert: number,
): Promise<ExpertWeights> {
  const name = (pattern: string) => expertTensor(pattern, expert);
  const gateUp = new Float32Array(hidden * 2 * width);
  await readTransposed(weights, name(layout.gate), [width, hidden], gateUp, 2 * width, 0);
  await readTransposed(weights, name(layout.up), [width, hidden], gateUp, 2 * width, width);
  const down = new Float32Array(width * hidden);
  await readTransposed(weights, name(layout.down), [hidden, width], down, hidden, 0);
  if (layout.outputScale !== undefined) {
    const scale = (await weights.read(layout.outputScale, [1, experts]))[expert]!;
    for (let i = 0; i < down.length; i++) down[i]! *= scale;
  }
  return { hidden, width, gateUp, gateUpBias: null, down, downBias: null };
}

async function readFused(
  weights: WeightSource,
  { experts, expertWidth: width }: MoePlan,
  layout: Layout<"fused">,
  hidden: number,
  expert: number,
): Promise<ExpertWeights> {
  const read = (name: string, shape: readonly number[]) =>
    weights.readRange(name, [experts, ...shape], expert, expert + 1);
  return {
    hidden,
    width,
    gateUp: gatesFirst(await read(layout.gateUp, [hidden, 2 * width]), hidden, width),
    gateUpBias: gatesFirst(await read(layout.gateUpBias, [2 * width]), 1, width),
    down: await read(layout.down, [width, hidden]),
    downBias: await read(layout.downBias, [hidden]),
  };
}

/** Rows of gate and up values in turns -> the gates of each row, then its ups. */
function gatesFirst(mixed: Float32Array, rows: number, width: number): Float32Array {
  const sorted = new Float32Array(mixed.length);
  for (let row = 0; row < rows; row++) {
    const at = row * 2 * width;
    for (let i = 0; i < width; i++) {
      sorted[at + i] = mixed[at + 2 * i]!;
      sorted[at + width + i] = mixed[at + 2 * i + 1]!;
    }
  }
  return sorted;
}
