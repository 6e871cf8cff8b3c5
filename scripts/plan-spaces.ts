/** A question whose candidates are few enough to run them all. */
export interface Space {
  readonly name: string;
  readonly scenario: string;
  readonly settings: readonly string[];
}

interface Load {
  readonly model: string;
  readonly system: string;
  readonly arrivals: string;
  readonly isl: string;
  readonly osl: string;
  readonly slo: string;
  readonly plan: string;
  readonly requests?: number;
  readonly engine?: string;
}

const scenario = (name: string, of: Load): string => `version: 1
name: ${name}
model: { id: ${of.model} }
hardware: { system: ${of.system} }
engine: { id: ${of.engine ?? "vllm"}, maxModelLen: 16384 }
traffic:
  kind: generated
  requests: ${of.requests ?? 1500}
  arrivals: ${of.arrivals}
  isl: ${of.isl}
  osl: ${of.osl}
routing: { kind: uniform }
slo: ${of.slo}
plan: ${of.plan}
`;

const poisson = (rate: number): string => `{ kind: poisson, requestRate: ${rate}/s }`;
const chat = {
  isl: "{ kind: lognormal, mean: 1155, p50: 1020, max: 8000 }",
  osl: "{ kind: lognormal, mean: 211, p50: 129, max: 1000 }",
};
const long = {
  isl: "{ kind: lognormal, mean: 4000, p50: 3000, max: 12000 }",
  osl: "{ kind: lognormal, mean: 200, p50: 150, max: 800 }",
};

const space = (name: string, of: Load): Space => ({ name, scenario: scenario(name, of), settings: [] });

/** Questions of every objective over open and closed loops, several systems, options and pools. */
export const spaces: readonly Space[] = [
  space("chat-cost", {
    ...chat,
    model: "qwen3-30b-a3b",
    system: "h100-sxm-8",
    arrivals: poisson(30),
    slo: "{ ttft: p(99)<1s, tpot: p(99)<30ms }",
    plan: "{ budget: { devices: 8 } }",
  }),
  space("chat-two-systems", {
    ...chat,
    model: "qwen3-30b-a3b",
    system: "h100-sxm-8",
    arrivals: poisson(40),
    slo: "{ ttft: p(99)<500ms, tpot: p(99)<25ms }",
    plan: "{ budget: { devices: 8 }, systems: [a100-sxm-8, h100-sxm-8, h200-sxm-8] }",
  }),
  space("chat-devices", {
    ...chat,
    model: "gpt-oss-120b",
    system: "h100-sxm-8",
    arrivals: poisson(20),
    slo: "{ ttft: p(95)<800ms, tpot: mean<20ms }",
    plan: "{ objectives: [devices], budget: { devices: 12 } }",
  }),
  space("chat-energy", {
    ...chat,
    model: "qwen3-30b-a3b",
    system: "h100-sxm-8",
    arrivals: poisson(16),
    slo: "{ tpot: p(99)<40ms }",
    plan: "{ objectives: [energy], budget: { devices: 8 } }",
  }),
  space("chat-goodput", {
    ...chat,
    model: "mixtral-8x7b",
    system: "h100-sxm-8",
    arrivals: poisson(24),
    slo: "{ perRequest: { ttft: 300ms, tpot: 20ms } }",
    plan: "{ objectives: [goodput], budget: { devices: 8 } }",
  }),
  space("long-prompts", {
    ...long,
    model: "qwen3-235b-a22b",
    system: "h200-sxm-8",
    arrivals: poisson(4),
    slo: "{ ttft: p(90)<2s, tpot: p(90)<40ms }",
    plan: "{ budget: { devices: 24 } }",
  }),
  space("two-nodes", {
    ...chat,
    model: "deepseek-v3",
    system: "h200-sxm-8",
    engine: "sglang",
    arrivals: poisson(6),
    slo: "{ ttft: p(90)<3s, tpot: p(90)<60ms }",
    plan: "{ budget: { devices: 32 } }",
  }),
  space("closed-cost", {
    ...chat,
    model: "qwen3-30b-a3b",
    system: "h100-sxm-8",
    arrivals: "{ kind: closed, maxConcurrency: 64 }",
    slo: "{ tpot: p(90)<20ms }",
    plan: "{ budget: { devices: 8 } }",
  }),
  space("closed-energy", {
    ...chat,
    model: "gpt-oss-20b",
    system: "h100-sxm-8",
    arrivals: "{ kind: closed, maxConcurrency: 48 }",
    slo: "{ tpot: p(90)<12ms }",
    plan: "{ objectives: [energy], budget: { devices: 8 } }",
  }),
  space("batch-limits", {
    ...long,
    model: "qwen3-30b-a3b",
    system: "h100-sxm-8",
    arrivals: poisson(10),
    slo: "{ ttft: p(99)<1500ms, tpot: p(99)<25ms }",
    plan: "{ budget: { devices: 4 }, vary: { engine.maxNumSeqs: [16, 64, 256], engine.maxNumBatchedTokens: [2048, 8192] } }",
  }),
  space("pools", {
    ...long,
    model: "qwen3-30b-a3b",
    system: "h100-sxm-8",
    engine: "sglang",
    arrivals: poisson(8),
    slo: "{ ttft: p(95)<1500ms, tpot: p(95)<15ms }",
    plan: "{ budget: { devices: 8 }, pools: both, parallel: { tp: [1, 2], dp: [1], ep: [1] }, devices: [1, 2] }",
  }),
  space("largest-rate", {
    ...chat,
    model: "qwen3-30b-a3b",
    system: "h100-sxm-8",
    arrivals: poisson(16),
    slo: "{ ttft: p(99)<1s, tpot: p(99)<40ms }",
    plan: "{ objectives: [rate], budget: { devices: 4 } }",
  }),
  // Few replicas are so overloaded that a sample says little of what one sustains.
  space("fleet", {
    isl: "{ kind: fixed, tokens: 4096 }",
    osl: "{ kind: fixed, tokens: 1024 }",
    requests: 3000,
    model: "deepseek-v3",
    system: "h200-sxm-8",
    arrivals: poisson(10),
    slo: "{ ttft: p(99)<2s, tpot: p(99)<50ms }",
    plan: "{ objectives: [devices], budget: { devices: 64 }, parallel: { tp: [8], dp: [1] } }",
  }),
];
