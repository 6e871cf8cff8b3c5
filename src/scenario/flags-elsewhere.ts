const placement = "policy.placement, such as { kind: eplb, redundant: 32 }";

/** Flags of engines that a scenario says with another key, by their names in camel case. */
const elsewhere: Readonly<Record<string, string>> = {
  tokenizerWorkerNum: "engine.apiServerCount",
  numServeFrontends: "engine.apiServerCount",
  maxRunningRequests: "engine.maxNumSeqs, per data-parallel rank",
  maxBatchSize: "engine.maxNumSeqs, per data-parallel rank",
  chunkedPrefillSize: "engine.maxNumBatchedTokens, per data-parallel rank",
  maxNumTokens: "engine.maxNumBatchedTokens, per data-parallel rank",
  contextLength: "engine.maxModelLen",
  maxSeqLen: "engine.maxModelLen",
  memFractionStatic: "engine.gpuMemoryUtilization",
  freeGpuMemoryFraction: "engine.gpuMemoryUtilization",
  pageSize: "engine.blockSize",
  tokensPerBlock: "engine.blockSize",
  enableEplb: placement,
  eplbConfig: placement,
  numRedundantExperts: placement,
  epNumRedundantExperts: placement,
  moeLoadBalancer: placement,
  loadBalancer: placement,
  numSlots: placement,
  initExpertLocation: placement,
  enableDpAttention: "parallel.dp",
  enableAttentionDp: "parallel.dp",
  dataParallelSize: "parallel.dp",
  dpSize: "parallel.dp",
  tensorParallelSize: "parallel.tp",
  tpSize: "parallel.tp",
  enableExpertParallel: "parallel.ep",
  epSize: "parallel.ep",
  moeExpertParallelSize: "parallel.ep",
  moeTensorParallelSize: "parallel.etp",
};

/** Where a scenario says what an unknown key of the engine section means; undefined where nothing is known of it. */
export function saidElsewhere(section: string, key: string): string | undefined {
  return section === "engine" && Object.hasOwn(elsewhere, key) ? `said by ${elsewhere[key]}` : undefined;
}
