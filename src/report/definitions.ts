/** How the reported quantities are defined; printed with the full report and in the README. */
export const definitions = {
  TTFT: "time from a request's arrival to its first output token, queueing included",
  TPOT: "(E2E - TTFT) / (output tokens - 1), per request; a request with one output token has none",
  ITL: "gap between two consecutive output tokens, over all tokens of all requests; tokens of one step share its gap evenly",
  E2E: "time from a request's arrival to its last output token",
  queue: "time from a request's arrival to the first step that computes one of its tokens",
  percentile: "type 7 (linear interpolation), exact over requests; of ITL from a histogram, relative error below 0.4%",
  "n/a": "there are no samples, or the deployment is overloaded: its latencies grow with the length of the run",
  "*": "fewer than ten samples, n (1 - p), lie beyond the percentile p: its 95% interval between order statistics is given",
  stable: "arrivals do not outrun the deployment: the run shows it beyond chance",
  overloaded: "the backlog grows more than chance explains; sustained is the rate of completions meanwhile",
  "too short to tell": "the run shows neither; latency SLOs fail until there are enough requests",
  "±": "half-width of the 95% interval of the mean, by batch means",
  band: "80 of 100 measurements fell between forecast x low and forecast x high, on deployments not used for fitting",
  "hit rate": "distinct experts that are resident when their layer call starts / distinct experts of all layer calls",
  imbalance: "tokens on the most loaded rank / tokens on the mean rank, per step and MoE layer; 1 is perfect balance",
  "expert skew": "tokens of the most used expert / tokens of the mean expert of a layer, over the whole run",
  "acceptance length":
    "tokens per verification of draft tokens, with the model's own token; tokens cut off by the end of an output count",
  goodput: "share of counted requests that meet every per-request limit",
} as const satisfies Record<string, string>;
