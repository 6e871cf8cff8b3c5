import type { CountsTable } from "../routing-table.ts";

/** [layers][experts] share of each layer's choices that an expert gets, and how many choices there were in all. */
export interface ExpertProfile {
  readonly shares: Float64Array;
  readonly choices: number;
}

/** The profile of counted routing; a layer without choices is 0 throughout. */
export function expertProfile({
  counts,
  layers,
  experts,
}: Pick<CountsTable, "counts" | "layers" | "experts">): ExpertProfile {
  const shares = new Float64Array(layers * experts);
  for (let at = 0; at < counts.length; at++) shares[at % shares.length]! += counts[at]!;
  let choices = 0;
  for (let layer = 0; layer < layers; layer++) {
    const row = shares.subarray(layer * experts, (layer + 1) * experts);
    const sum = row.reduce((total, value) => total + value, 0);
    choices += sum;
    if (sum > 0) for (let expert = 0; expert < experts; expert++) row[expert]! /= sum;
  }
  return { shares, choices };
}

/** Share of choices that lie differently in two profiles: half the sum of differences, mean over layers. */
export function profileDistance(a: Float64Array, b: Float64Array, layers: number): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += Math.abs(a[at]! - b[at]!);
  return sum / (2 * layers);
}

/**
 * Distance that as many independent choices are expected to have from the profile they are drawn from: mean absolute deviations of
 * normal counts. Choices of one text depend on one another, so that real ones lie farther off.
 */
export function samplingDistance({ shares, choices }: ExpertProfile, layers: number): number {
  const perLayer = choices / layers;
  const deviation = shares.reduce((sum, share) => sum + Math.sqrt((2 * share * (1 - share)) / (Math.PI * perLayer)), 0);
  return deviation / (2 * layers);
}
