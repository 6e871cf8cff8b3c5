import { replicaDraft } from "../layouts.ts";
import { azureLengths } from "../lengths.ts";
import type { Template } from "../template.ts";

/** Chat on a cluster: one replica on the fewest devices that hold the model. */
export const chat: Template = {
  title: "Chat on a cluster: latency, throughput and cost of one replica under open load",
  question: "How fast does one replica answer at this rate, what limits it, and what would help?",
  next: [
    ["--set traffic.arrivals.requestRate=N/s", "another load"],
    ["--set policy.placement={kind: eplb, redundant: 32}", "copies of popular experts (with ep above 1)"],
    ["moecast plan FILE", "the cheapest deployment that meets the objectives"],
  ],
  defaults: { model: "qwen3-235b-a22b", system: "h100-sxm-8", name: "chat" },
  engines: ["vllm", "sglang", "tensorrt-llm", "llama.cpp"],
  requests: 1000,
  contextTokens: 16_384,
  defaultLoad: "found",
  lengths: azureLengths,
  routing: "{ kind: uniform }",
  limits: { percentile: 95, ttftMs: 1000, tpotMs: 50 },
  draft: (site, probe) => replicaDraft(site, probe, 16_384),
  first: (path) => ["run", path],
};
