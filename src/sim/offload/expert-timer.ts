/** Time of computing experts, ns: of one by a kernel of its own, of several by one kernel, and on the host. */
export interface ExpertTimer {
  aloneNs(tokens: number): number;
  togetherNs(tokens: number, experts: number): number;
  hostNs(tokens: number): number;
  hostBeginNs(stepTokens: number): number;
  hostEndNs(stepTokens: number): number;
}

/** The step and the layer that a call belongs to. */
export interface CallPlace {
  readonly stepTokens: number;
  /** Whether it is the last layer with experts of its stage. */
  readonly last: boolean;
}
