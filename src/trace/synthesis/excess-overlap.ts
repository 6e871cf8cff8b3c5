/** Experts of a layer, and how many a token chooses. */
export interface ChoiceShape {
  readonly experts: number;
  readonly topK: number;
}

/** Overlap in excess of uniform routing: 0 for topK / experts, 1 for complete overlap. */
export function excessOverlap(overlap: number, { experts, topK }: ChoiceShape): number {
  const uniform = topK / experts;
  return uniform >= 1 ? 0 : Math.max(0, (overlap - uniform) / (1 - uniform));
}

/** The overlap with that excess. */
export function overlapOfExcess(excess: number, { experts, topK }: ChoiceShape): number {
  const uniform = topK / experts;
  return uniform + (1 - uniform) * excess;
}
