/** When the decode side makes room for a request. */
export const handoverReservations = [
  /** Before the prompt is computed: without room the prefill does not start. */
  "beforePrefill",
  /** When the prompt is computed: without room its caches stay on the prefill side, and keep their blocks there. */
  "afterPrefill",
] as const;

/** What is sent at a time. */
export const handoverTransfers = [
  /** The whole prompt, once it is computed. */
  "request",
  /** What a step of the prefill has computed, while the next one runs; windows and states with the last. */
  "chunk",
  /** A layer of a step, while the next layer is computed. */
  "layers",
] as const;

/** Whose first token the client sees, and when. */
export const handoverFirstTokens = [
  /** The prefill's, at the end of the prompt. */
  "prefill",
  /** The prefill's, when the decode side takes the request into its batch. */
  "handover",
  /** The decode side's: it computes the last prompt token again. What the prefill sampled is thrown away. */
  "decodeStep",
] as const;

/** How an engine hands a request from the replica that computes its prompt to the one that decodes. */
export interface Handover {
  readonly reserves: (typeof handoverReservations)[number];
  readonly transfer: (typeof handoverTransfers)[number];
  readonly firstToken: (typeof handoverFirstTokens)[number];
  /**
   * Output tokens that the decode side keeps free, besides the prompt, for each request that it has taken on: those that
   * decode, those on their way, and the next one.
   */
  readonly reservedOutputTokens: number | "all";
  /** Whether the decode side gets the prompt as text after the prefill, and tokenises it again. */
  readonly tokenisesAgain: boolean;
}

/** Prompt tokens that the decode side computes itself, at the head of its first step. */
export function recomputedPromptTokens({ firstToken }: Handover): number {
  return firstToken === "decodeStep" ? 1 : 0;
}
