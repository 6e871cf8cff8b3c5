/** Ways in which tokens reach the experts of other ranks where attention is data-parallel. */
export const expertExchanges = [
  /** Every rank gathers the tokens of all; partial results are reduced and scattered. */
  "allGatherReduceScatter",
  /** Each rank broadcasts its tokens, one rank after the other; partial results are summed on all ranks. */
  "broadcastAllReduce",
  /** A collective sends each token to the ranks that hold its experts. */
  "allToAll",
  /** DeepEP: its low-latency mode in steps that only decode, its normal mode in steps with prompts. */
  "deepep",
  /** DeepEP in its normal mode throughout. */
  "deepepNormal",
  /** DeepEP in its low-latency mode throughout. */
  "deepepLowLatency",
  /** Kernels inside an NVLink domain, as TensorRT-LLM and FlashInfer have them. */
  "nvlink",
] as const;

export type ExpertExchange = (typeof expertExchanges)[number];

/** Ways of exchanging in the words of reports. */
export const exchangeWords = {
  allGatherReduceScatter: "all-gather and reduce-scatter",
  broadcastAllReduce: "broadcasts and all-reduce",
  allToAll: "all-to-all",
  deepep: "DeepEP, low-latency mode in steps that only decode, normal mode in steps with prompts",
  deepepNormal: "DeepEP in normal mode",
  deepepLowLatency: "DeepEP in low-latency mode",
  nvlink: "all-to-all kernels over NVLink",
} as const satisfies Record<ExpertExchange, string>;

/** The library whose kernels send tokens to their experts; null where collectives do. */
export function exchangeLibrary(exchange: ExpertExchange): "deepep" | "nvlink" | null {
  switch (exchange) {
    case "deepep":
    case "deepepNormal":
    case "deepepLowLatency":
      return "deepep";
    case "nvlink":
      return "nvlink";
    case "allGatherReduceScatter":
    case "broadcastAllReduce":
    case "allToAll":
      return null;
  }
}

/** Whether every rank is given the tokens of all, so that its expert kernel passes over those of other ranks too. */
export function gathersTokens(exchange: ExpertExchange): boolean {
  return exchange === "allGatherReduceScatter" || exchange === "broadcastAllReduce";
}

/** Whether a step's exchange runs in the low-latency mode of its library. */
export function lowLatency(exchange: ExpertExchange, prefills: boolean): boolean {
  return exchange === "deepepLowLatency" || (exchange === "deepep" && !prefills);
}
