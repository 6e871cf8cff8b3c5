/** How the reported quantities are defined; printed with the full report and in the README. */
export const definitions = {
  TTFT: "time from a request's arrival to its first output token, queueing included",
  TPOT: "(E2E - TTFT) / (output tokens - 1), per request; requests with one output token have none",
  ITL: "gaps between consecutive output tokens, over all tokens of all requests; tokens of one step share its gap evenly",
  E2E: "time from a request's arrival to its last output token",
  queue: "time from a request's arrival to the first step that computes one of its tokens",
  percentile: "type 7 (linear interpolation), exact over requests; ITL from a histogram with relative error below 0.4%",
  "n/a": "no samples, or an overloaded deployment, whose latencies grow with the length of the run",
  "*": "a percentile p of n samples with n (1 - p) below 10: where it lies with 95% probability, between order statistics",
  stable: "the run excludes, beyond chance, that arrivals outrun the deployment",
  overloaded: "more requests pile up than chance explains; sustained is the rate of completions meanwhile",
  "too short to tell": "neither is shown: latency SLOs fail until there are enough requests",
  "±": "half-width of the 95% interval of the mean by batch means",
  band: "factors between which that share of measured values lay of forecasts of deployments that no fit had seen",
  "hit rate": "distinct experts of a layer call resident when the call starts / distinct experts of all layer calls",
  imbalance: "tokens on the most loaded rank / tokens on the mean rank, per step and MoE layer; 1 is perfect balance",
  "expert skew": "tokens of the most used expert / tokens of the mean expert of a layer, over the whole run",
  "acceptance length":
    "tokens per verification of draft tokens, the model's own included, before the end of an output cuts any off",
  goodput: "share of measured requests that meet every per-request limit",
} as const satisfies Record<string, string>;
