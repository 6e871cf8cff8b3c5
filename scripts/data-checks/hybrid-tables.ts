import { readFileSync } from "node:fs";
import { join } from "node:path";
import { engineNamed } from "../../src/engine/catalogue.ts";
import type { EngineProfile } from "../../src/engine/engine-profile.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { hostDevice } from "../../src/hardware/host-processors.ts";
import { activationsFor, mathFor } from "../../src/hardware/math-format.ts";
import { deviceNamed, nodeNamed } from "../../src/hardware/named-profiles.ts";
import { popularityShares } from "../../src/trace/synthesis/popularity-law.ts";
import { type Deployment, type Load, type StepParts, splitNs, stepOf } from "./hybrid-step.ts";

/** A published figure and what moecast says. Higher is better unless it is a time. */
export interface Row {
  readonly name: string;
  readonly measured: number;
  readonly forecast: number;
  /** Largest error either way that counts as met; absent: not judged, for the reason given. */
  readonly within?: number;
  readonly reason?: string;
}

const text = (folder: string, name: string): string => readFileSync(join(folder, name), "utf8");
const perSecond = (ns: number, tokens = 1): number => (tokens * 1e9) / ns;

/** A layer call of KTransformers on a node: hand-over, and the hidden states there and back. */
function callNs(system: string, engine: string): number {
  const link = nodeNamed(system).device.hostLink;
  return (engineNamed(engine).offload?.hostCallNs ?? 0) + 2 * (link?.latencyNs ?? 0);
}

/** Figures of the host in place of those of the profiles: a factor on the time of memory, and the time of a layer call. */
export interface HostFigures {
  readonly memoryFactor: number;
  readonly callNs: number;
}

/** A split of a deployment under KTransformers; launches of the host's kernels are part of a call. */
function ktSplit(parts: StepParts, onHost: number, bytesPerWeight?: number, figures?: HostFigures): number {
  const launchNs = deviceNamed("xeon-6454s").efficiency.groupedGemmLaunchNs;
  const own = { hostCallNs: callNs(server, "ktransformers"), factor: 1 };
  const { hostCallNs, factor } =
    figures === undefined ? own : { hostCallNs: figures.callNs - launchNs, factor: figures.memoryFactor };
  const hostNs = (share: number) => launchNs + (parts.hostNs(share, bytesPerWeight) - launchNs) * factor;
  return splitNs(parts, { onHost, beside: true, hostCallNs, hostNs });
}

const server = "rtx4090-xeon-2s";
const oneToken = { sequences: 1, tokens: 1, cached: 300 } as const;

/**
 * KTransformers' placements at eleven shares of experts on the GPUs: Qwen3-Next-80B-A3B in FP8, four RTX 4090, two Xeon
 * 6454S. The page states no load: rates of 113 tokens/s on four GPUs are those of one sequence.
 */
export async function placementRows(folder: string, figures?: HostFigures): Promise<Row[]> {
  const step = await stepOf(
    {
      model: "{ id: qwen3-next-80b-a3b, dtypes: { experts: fp8_block, attention: fp8_block } }",
      hardware: `{ system: ${server} }`,
      engine: "{ id: ktransformers }",
      tp: 4,
    },
    oneToken,
  );
  const parts = step();
  const at = (onHost: number) => perSecond(ktSplit(parts, onHost, undefined, figures));
  const popular = popularityShares({ popularityCv: 0.9 }, 512, parts.topK, 1).toSorted((a, b) => b - a);
  const covered = (share: number) => popular.slice(0, Math.round(512 * share)).reduce((sum, part) => sum + part, 0);
  const forecasts: Readonly<Record<string, (share: number) => number>> = {
    random: (share) => at(1 - share),
    uniform: (share) => at(1 - share),
    // Whole layers from the first one on: those behind them are the host's.
    "front-loading": (share) => 1 / (share / at(0) + (1 - share) / at(1)),
    frequency: (share) => at(Math.max(0, 1 - covered(share))),
  };
  const [head = "", ...lines] = text(folder, "ktransformers_placement_policy_vs_gpu_ratio.csv").trim().split("\n");
  const names = head.split(",").slice(1);
  return lines.flatMap((line) => {
    const [ratio = "", ...rates] = line.split(",");
    return names.flatMap((policy, i): Row[] => {
      const forecast = forecasts[policy.trim()];
      const name = `KTransformers ${policy.trim()} ${ratio}, tokens/s`;
      const measured = Number(rates[i]);
      if (forecast === undefined)
        return [
          {
            name,
            measured,
            forecast: Number.NaN,
            reason: "needs the authors' trace: experts are picked anew at each prompt",
          },
        ];
      const row = { name, measured, forecast: forecast(Number.parseFloat(ratio) / 100) };
      return [
        policy.trim() === "frequency"
          ? { ...row, within: 0.15, reason: "popularity of the preset of balanced models, not the authors' trace" }
          : { ...row, within: 0.15 },
      ];
    });
  });
}

/** Weights of Q4_K_M experts: gate and up in Q4_K, half of the down products in Q6_K. */
const q4kmBits = (2 * 4.5 + (4.5 + 6.5625) / 2) / 3;
const q4 = "dtypes: { experts: q4_k, attention: q4_k, dense: q4_k, shared: q4_k, head: q6_k }";

/** DeepSeek-V3 in Q4_K_M under KTransformers on one and two sockets, weights in the memory of each. */
export async function socketRows(figures?: HostFigures): Promise<Row[]> {
  const rows = [
    [1, 8.73],
    [2, 12.208],
  ] as const;
  const out: Row[] = [];
  for (const [sockets, measured] of rows) {
    const node = nodeNamed(server);
    const [tier, ...others] = node.tiers;
    if (tier === undefined || node.host === undefined) throw new Error("a host was expected");
    const read = { ...tier.read, bytesPerSecond: (tier.read.bytesPerSecond * sockets) / 2 };
    const half = { ...node, host: { ...node.host, count: sockets }, tiers: [{ ...tier, read }, ...others] };
    const step = await stepOf(
      {
        model: `{ id: deepseek-v3, ${q4} }`,
        hardware: `{ system: ${server}, devicesPerNode: 1 }`,
        engine: "{ id: ktransformers }",
      },
      { ...oneToken, cached: 500 },
      half,
    );
    const parts = step();
    const ns = ktSplit(parts, 1, q4kmBits / 8, figures);
    out.push({
      name: `DeepSeek-V3 Q4_K_M, ${sockets} socket(s), tokens/s`,
      measured,
      forecast: perSecond(ns),
      within: 0.2,
    });
  }
  return out;
}

interface LlamaBench {
  readonly n_prompt: number;
  readonly n_gen: number;
  readonly avg_ts: number;
}

const rented =
  "a rented container reads 13 to 14 GB/s for experts and for all weights alike, a quarter of what the machine's memory gives (62 GB/s from four threads on a 7950X): its share of the host, not the host";

/** llama.cpp on a 7950X with an RTX 4090, Qwen3-30B-A3B in Q4_K_M: all on the GPU, experts on the host, all on the host. */
export async function desktopRows(folder: string, figures: Partial<EngineProfile> = {}): Promise<Row[]> {
  const model = "{ id: qwen3-30b-a3b, dtypes: { experts: q4_k, attention: q4_k, head: q6_k } }";
  const of = (system: string): Deployment => ({
    model,
    hardware: `{ system: ${system} }`,
    engine: "{ id: llama.cpp }",
  });
  const measured = (file: string, prompt: boolean): number => {
    const results = JSON.parse(text(folder, file)) as LlamaBench[];
    return results.find(({ n_prompt }) => n_prompt > 0 === prompt)?.avg_ts ?? Number.NaN;
  };
  const decode = { sequences: 1, tokens: 1, cached: 64 };
  const prompt = { sequences: 1, tokens: 512, cached: 0 };
  const gpu = (await stepOf(of("rtx4090-desktop"), decode))(figures);
  const gpuPrompt = (await stepOf(of("rtx4090-desktop"), prompt))(figures);
  const cpu = (await stepOf(of("ryzen-desktop"), decode))(figures);
  const split = splitNs(gpu, {
    onHost: 1,
    beside: false,
    hostCallNs: callNs("rtx4090-desktop", "llama.cpp"),
    hostNs: (share) => gpu.hostNs(share, q4kmBits / 8),
  });
  // Products of 32 rows and more are computed on the GPU: their experts are copied there, out of a mapped file.
  const { hostLink } = nodeNamed("rtx4090-desktop").device;
  const linkBytesPerSecond = (hostLink?.bytesPerSecond ?? 0) * (hostLink?.efficiency ?? 0);
  const streamedNs =
    gpuPrompt.ns + ((gpuPrompt.layers * gpuPrompt.layerWeights * q4kmBits) / 8 / linkBytesPerSecond) * 1e9;
  const file = (name: string) => `sylvanus4_results_${name}.json`;
  return [
    {
      name: "llama.cpp, RTX 4090, decode",
      measured: measured(file("A1_fullgpu"), false),
      forecast: perSecond(gpu.ns),
      within: 0.2,
    },
    {
      name: "llama.cpp, RTX 4090, prompt of 512",
      measured: measured(file("A1_fullgpu"), true),
      forecast: perSecond(gpuPrompt.ns, 512),
      within: 0.2,
    },
    {
      name: "llama.cpp, experts on the 7950X, decode",
      measured: measured(file("A2_mechanism"), false),
      forecast: perSecond(split),
      reason: rented,
    },
    {
      name: "llama.cpp, experts on the 7950X, prompt of 512",
      measured: measured(file("A2_mechanism"), true),
      forecast: perSecond(streamedNs, 512),
      within: 0.35,
      reason: "experts cross the link once a batch; out of pageable memory, which the forecast takes for pinned",
    },
    {
      name: "llama.cpp, 7950X alone, decode",
      measured: measured(file("A3_cpu"), false),
      forecast: perSecond(cpu.ns),
      reason: rented,
    },
    {
      name: "llama.cpp, 7950X alone, prompt of 512",
      measured: measured(file("A3_cpu"), true),
      forecast: perSecond(streamedNs, 512),
      reason:
        "a CUDA build with -ngl 0 computes prompts on the GPU all the same: 463 tokens/s would be 3 TFLOP/s of a processor's 2",
    },
  ];
}

const kernelHost =
  "a rented virtual machine: 67 to 75 GB/s in every format and with AVX2 alike, of the 614 or 717 GB/s of its sockets; what bounds it is not the processor";

interface KernelTable {
  readonly kernels: Readonly<Record<string, { readonly per_layer_us: number }>>;
}

/** Expert kernels of a layer of DeepSeek-V3 alone, for one token. */
export function kernelRows(folder: string): Row[] {
  const formats = { AMXInt4_MOE: "int4", AMXInt8_MOE: "int8", AMXBF16_MOE: "bf16" } as const;
  const { kernels } = JSON.parse(text(folder, "sylvanus4_experiment-5-int4-decode_decode_int4.json")) as KernelTable;
  const node = { ...nodeNamed("h100-sxm-8") };
  const device = hostDevice(node);
  if (device === null) throw new Error("a host was expected");
  const cost = new CostModel(device, node);
  return Object.entries(formats).map(([name, weightFormat]): Row => {
    const ns = cost.opNs({
      kind: "groupedGemm",
      pairs: 8,
      distinctExperts: 8,
      presentedPairs: 0,
      parametersPerExpert: 3 * 7168 * 2048,
      shardWidth: 2048,
      valuesPerPair: 2 * 7168 + 3 * 2048,
      weightFormat,
      math: mathFor(device, weightFormat, activationsFor(weightFormat, device)),
    });
    return {
      name: `${name}, layer of DeepSeek-V3, us`,
      measured: kernels[name]?.per_layer_us ?? Number.NaN,
      forecast: ns / 1000,
      reason: kernelHost,
    };
  });
}

/** Models of the GB10 tables: heading of their section, name of the rows, and what their files hold (sizes of the tables). */
const sparkModels = [
  [
    "gpt-oss-20b-GGUF",
    "gpt-oss-20b",
    "{ id: gpt-oss-20b, dtypes: { experts: mxfp4_a16, attention: q8_0, head: q8_0 } }",
  ],
  [
    "gpt-oss-120b-GGUF",
    "gpt-oss-120b",
    "{ id: gpt-oss-120b, dtypes: { experts: mxfp4_a16, attention: q8_0, head: q8_0 } }",
  ],
  [
    "Qwen3-Coder-30B-A3B-Instruct-Q8_0-GGUF",
    "Qwen3-Coder-30B-A3B Q8_0",
    "{ id: qwen3-30b-a3b, dtypes: { experts: q8_0, attention: q8_0, head: q8_0 } }",
  ],
] as const;

/** llama-batched-bench and llama-bench on GB10, micro-batches of 2,048: rows of the tables below the heading of each model. */
export async function sparkRows(folder: string, figures: Partial<EngineProfile> = {}): Promise<Row[]> {
  const sections = text(folder, "llamacpp_dgx_spark_gptoss.md").split("\n## ");
  const out: Row[] = [];
  for (const [heading, name, model] of sparkModels) {
    const section = sections.find((part) => part.startsWith(`ggml-org/${heading}`)) ?? "";
    const deployment = {
      model,
      hardware: "{ system: dgx-spark }",
      engine: "{ id: llama.cpp, maxModelLen: 131072 }",
    };
    let aloneSeconds = Number.NaN;
    const reasons = new Map<number, string | null>();
    const rateOf = async (load: Load): Promise<number> =>
      perSecond((await stepOf(deployment, load))(figures).ns, load.sequences * load.tokens);
    for (const cells of section.split("\n").map((line) => line.split("|").map((cell) => cell.trim()))) {
      const [, prompt = Number.NaN, output = Number.NaN, batch = Number.NaN] = cells.map(Number);
      if (cells.length === 12 && prompt > 0 && output === 32) {
        // A batch of one is the first thing the program computes.
        if (prompt === 512 && (batch === 2 || batch === 4))
          out.push({
            name: `${name} on GB10, ${batch} prompts of 512`,
            measured: Number(cells[6]),
            forecast: await rateOf({ sequences: batch, tokens: 512, cached: 0 }),
            within: 0.2,
          });
        const measured = Number(cells[8]);
        const parts = (await stepOf(deployment, { sequences: batch, tokens: 1, cached: prompt + 16 }))(figures);
        if (batch === 1) aloneSeconds = 1 / measured;
        if (prompt === 512) reasons.set(batch, unjudged(batch, measured, aloneSeconds, parts));
        const reason = reasons.get(batch);
        out.push({
          name: `${name} on GB10, decode, batch ${batch} at ${prompt}`,
          measured,
          forecast: perSecond(parts.ns, batch),
          ...(reason === null || reason === undefined ? { within: 0.2 } : { reason }),
        });
      }
      const at = cells.findIndex((cell) => /^pp2048(?: @ d\d+)?$/.test(cell));
      if (at < 0) continue;
      const cached = Number(/\d+$/.exec((cells[at] ?? "").slice("pp2048".length))?.[0] ?? 0);
      out.push({
        name: `${name} on GB10, prompt of 2,048 at ${cached}`,
        measured: Number.parseFloat(cells[at + 1] ?? ""),
        forecast: await rateOf({ sequences: 1, tokens: 2048, cached }),
        within: 0.2,
      });
    }
  }
  return out;
}

/** Rate at which a kernel that only reads reads the memory of a GB10, bytes per second (its profile). */
const sparkReadBytesPerSecond = deviceNamed("gb10").achievedBytesPerSecond ?? Number.NaN;

/**
 * Why a batch of the bench is not judged; null where it is. It decodes random tokens, the same at every context: the shortest
 * context bounds how many experts a batch can have asked for, which may be fewer than recorded text asks for. And a second token
 * may take longer than reading all of its experts anew would.
 */
function unjudged(batch: number, measured: number, aloneSeconds: number, parts: StepParts): string | null {
  const stepSeconds = batch / measured;
  const expertsBytes = (count: number) =>
    parts.layers * (count / parts.experts) * parts.layerWeights * parts.expertBytesPerWeight;
  const readable = (stepSeconds * sparkReadBytesPerSecond) / expertsBytes(1);
  if (parts.distinct > readable)
    return `memory gives at most ${readable.toFixed(0)} of ${parts.experts} experts a layer in the time of a step at a context of 512, the preset of recorded text asks for ${parts.distinct.toFixed(0)}: the bench decodes random tokens`;
  const anewSeconds = expertsBytes(parts.topK) / sparkReadBytesPerSecond;
  if (batch === 2 && stepSeconds - aloneSeconds > 1.25 * anewSeconds)
    return `a second token takes ${(1000 * (stepSeconds - aloneSeconds)).toFixed(1)} ms more, reading all of its experts anew ${(1000 * anewSeconds).toFixed(1)} ms: what the kernels for two tokens lose is not known`;
  return null;
}
