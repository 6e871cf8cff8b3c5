import { refuse } from "../../core/errors.ts";
import type { ExpertShape, FlagDialect, FlaggedSplit, StaticSplit } from "./offload-flags.ts";
import { FlagReader } from "./words.ts";

/**
 * Tokens of a step from which ggml computes a product on the device although its weights lie in host memory, which it then
 * copies: `GGML_OP_OFFLOAD_MIN_BATCH`, 32 by default; `--no-op-offload` never does.
 */
const opOffloadTokens = 32;

const matrices = ["gate", "up", "down"];
const expertTensors = (layer: number): string[] => matrices.map((matrix) => `blk.${layer}.ffn_${matrix}_exps.weight`);

/** Tensors that are computed on devices here, wherever a pattern would put them. */
const otherTensors = (layer: number): string[] =>
  [
    "attn_norm",
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_output",
    "attn_q_a",
    "attn_kv_a_mqa",
    "ffn_norm",
    "ffn_gate_inp",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
    "ffn_gate_shexp",
    "ffn_up_shexp",
    "ffn_down_shexp",
  ].map((name) => `blk.${layer}.${name}.weight`);

/** What it reads of a model before it starts: all, unless it maps the file (`llama_load_mode`). */
const loadModes = { mmap: "mapped", none: "whole", mlock: "whole", dio: "whole" } as const;

interface Override {
  readonly text: string;
  readonly pattern: RegExp;
  readonly toHost: boolean;
}

/**
 * llama.cpp holds the experts of a layer in three tensors, so a layer is on one side as a whole. `--n-cpu-moe` names the first
 * layers, `--cpu-moe` all, and `-ot` any by regular expression; the first that matches counts, and `-ot` goes before the others.
 * What is on the host lies in pages of the file, unless `--no-mmap`, `--mlock` or `--direct-io` have it in memory from the start.
 */
export const llamaCpp: FlagDialect = {
  engine: "llama.cpp",
  read(words, shape) {
    const reader = new FlagReader(words);
    const overrides: Override[] = [];
    const unread: string[] = [];
    let hostLayers = 0;
    let deviceFrom: number | null = opOffloadTokens;
    let loading: "mapped" | "whole" = "mapped";
    for (let flag = reader.next(); flag !== null; flag = reader.next())
      switch (flag) {
        case "-ot":
        case "--override-tensor":
          overrides.push(...overridesOf(reader.value(flag)));
          break;
        case "-cmoe":
        case "--cpu-moe":
          hostLayers = shape.layers;
          break;
        case "-ncmoe":
        case "--n-cpu-moe":
          hostLayers = Math.max(hostLayers, reader.wholeNumber(flag));
          break;
        case "-ngl":
        case "--gpu-layers":
        case "--n-gpu-layers":
          checkGpuLayers(reader.value(flag), shape.layers);
          break;
        case "-nopo":
        case "--no-op-offload":
          deviceFrom = null;
          break;
        case "--mmap":
          loading = "mapped";
          break;
        case "--no-mmap":
        case "--mlock":
        case "-dio":
        case "--direct-io":
          loading = "whole";
          break;
        case "-lm":
        case "--load-mode":
          loading = loadingOf(reader.value(flag));
          break;
        case "-nkvo":
        case "--no-kv-offload":
          refuse({ expected: "the KV cache on devices", found: flag });
          break;
        default:
          unread.push(flag);
      }
    return {
      chosen: { kind: "named", resident: residents(overrides, hostLayers, shape) },
      deviceFrom,
      deferred: 0,
      loading,
      unread,
    };
  },
  write(split, shape) {
    if (split.deferred > 0)
      refuse({ expected: "nothing deferred: llama.cpp waits for every expert", found: split.deferred });
    const hostLayers = layersOnHost(split, shape);
    const device = [
      ...(split.deviceFrom === null ? ["--no-op-offload"] : []),
      ...(split.loading === "whole" ? ["--no-mmap"] : []),
    ];
    if (hostLayers.length === 0) return device;
    if (hostLayers.length === shape.moeLayers.length) return ["--cpu-moe", ...device];
    const last = hostLayers.at(-1)!;
    const first = shape.moeLayers.filter((layer) => layer <= last);
    if (first.length === hostLayers.length) return ["--n-cpu-moe", String(last + 1), ...device];
    return ["-ot", `blk\\.(${hostLayers.join("|")})\\.ffn_(gate|up|down)_exps\\.=CPU`, ...device];
  },
};

/** Whole layers whose experts are on the host. */
function layersOnHost({ resident }: StaticSplit, { moeLayers, experts }: ExpertShape): number[] {
  return moeLayers.filter((number, layer) => {
    const held = resident.subarray(layer * experts, (layer + 1) * experts).reduce((sum, one) => sum + one, 0);
    if (held !== 0 && held !== experts)
      refuse({
        expected: "whole layers: llama.cpp keeps the experts of a layer together",
        found: `${held} of ${experts} experts of layer ${number} on the device`,
      });
    return held === 0;
  });
}

function residents(
  overrides: readonly Override[],
  hostLayers: number,
  { moeLayers, experts, layers }: ExpertShape,
): FlaggedResidents {
  const resident = new Uint8Array(moeLayers.length * experts);
  const used = new Set<Override>();
  const matching = (tensor: string): Override | undefined => {
    const found = overrides.find(({ pattern }) => pattern.test(tensor));
    if (found !== undefined) used.add(found);
    return found;
  };
  for (const [layer, number] of moeLayers.entries()) {
    const sides = expertTensors(number).map((tensor) => matching(tensor)?.toHost ?? number < hostLayers);
    if (new Set(sides).size > 1)
      refuse({
        expected: "the matrices of an expert on one side: moecast computes an expert in one place",
        found: `layer ${number}: ${matrices.map((matrix, i) => `${matrix} on the ${sides[i] === true ? "CPU" : "GPU"}`).join(", ")}`,
      });
    if (sides[0] === false) resident.fill(1, layer * experts, (layer + 1) * experts);
  }
  for (let layer = 0; layer < layers; layer++)
    for (const tensor of otherTensors(layer)) {
      const found = matching(tensor);
      if (found?.toHost === true)
        refuse({
          expected: "a pattern for routed experts alone (ffn_*_exps): all else is computed on devices",
          found: found.text,
        });
    }
  for (const override of overrides)
    if (!used.has(override)) refuse({ expected: "a pattern that matches a tensor of the model", found: override.text });
  return resident;
}

type FlaggedResidents = (FlaggedSplit["chosen"] & { readonly kind: "named" })["resident"];

function loadingOf(mode: string): "mapped" | "whole" {
  if (!Object.hasOwn(loadModes, mode))
    refuse({ expected: `--load-mode of ${Object.keys(loadModes).join(", ")}`, found: mode });
  return loadModes[mode as keyof typeof loadModes];
}

/** `pattern=buffer` items, joined by commas. Buffers of the host begin with CPU. */
function overridesOf(value: string): Override[] {
  return value.split(/,(?=[^=,]+=)/).map((text) => {
    const at = text.lastIndexOf("=");
    if (at < 1) refuse({ expected: "pattern=buffer, such as ffn_.*_exps=CPU", found: text });
    return { text, pattern: patternOf(text.slice(0, at)), toHost: /^cpu/i.test(text.slice(at + 1)) };
  });
}

function patternOf(source: string): RegExp {
  // A repetition of what repeats can take for ever.
  if (source.length > 500 || /[+*}][^()|]*\)[+*{]/.test(source))
    refuse({ expected: "a simple regular expression", found: source });
  try {
    return new RegExp(source);
  } catch {
    return refuse({ expected: "a regular expression", found: source });
  }
}

function checkGpuLayers(value: string, layers: number): void {
  if (/^(all|auto|-1)$/i.test(value)) return;
  if (!/^\d+$/.test(value)) refuse({ expected: "a number of layers, or all", found: value });
  if (Number(value) < layers)
    refuse({
      expected: `all ${layers} layers on the device, as -ngl 99 asks: attention on the host is not simulated`,
      found: value,
    });
}
