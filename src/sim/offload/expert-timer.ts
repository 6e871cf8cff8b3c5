import type { ExpertParts } from "../../engine/offload-flags/expert-parts.ts";

/** Time of computing experts, ns: of one by a kernel of its own, of several by one kernel, and on the host. */
export interface ExpertTimer {
  aloneNs(tokens: number): number;
  togetherNs(tokens: number, experts: number): number;
  hostNs(tokens: number): number;
  hostBeginNs(stepTokens: number): number;
  hostEndNs(stepTokens: number): number;
  /** The same of a call on experts in two places: all that is no product, up to the end of the host's last one, and after it. */
  partsBeginNs(parts: ExpertParts, stepTokens: number, pairs: number): number;
  partsEndNs(parts: ExpertParts, stepTokens: number, pairs: number): number;
}

/** The step and the layer that a call belongs to. */
export interface CallPlace {
  readonly stepTokens: number;
  /** Whether it is the last layer with experts of its stage. */
  readonly last: boolean;
}
