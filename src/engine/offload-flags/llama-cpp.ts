import { refuse } from "../../core/errors.ts";
import type { ExpertMatrix } from "./expert-parts.ts";
import { matricesOnHost, type Override, overridesOf } from "./llama-cpp-overrides.ts";
import type { ExpertShape, FlagDialect, FlaggedSplit, StaticSplit } from "./offload-flags.ts";
import { FlagReader } from "./words.ts";

/**
 * Tokens of a step from which ggml computes a product on the device although its weights lie in host memory, which it then
 * copies: `GGML_OP_OFFLOAD_MIN_BATCH`, 32 by default; `--no-op-offload` never does.
 */
const opOffloadTokens = 32;

/**
 * llama.cpp holds the experts of a layer in two or three tensors, each on one side as a whole. `--n-cpu-moe` names the first
 * layers, `--cpu-moe` all, and `-ot` any tensor by regular expression; the first that matches counts, and `-ot` goes before the
 * others.
 */
export const llamaCpp: FlagDialect = {
  engine: "llama.cpp",
  read(words, shape) {
    const reader = new FlagReader(words);
    const overrides: Override[] = [];
    const unread: string[] = [];
    let hostLayers = 0;
    let deviceFrom: number | null = opOffloadTokens;
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
        case "-nkvo":
        case "--no-kv-offload":
          refuse({ expected: "the KV cache on devices", found: flag });
          break;
        default:
          unread.push(flag);
      }
    const onHost = matricesOnHost(overrides, { experts: (layer) => layer < hostLayers, all: () => false }, shape);
    return { chosen: placed(onHost, shape), deviceFrom, deferred: 0, unread };
  },
  write(split, shape) {
    if (split.deferred > 0)
      refuse({ expected: "nothing deferred: llama.cpp waits for every expert", found: split.deferred });
    const device = split.deviceFrom === null ? ["--no-op-offload"] : [];
    return [...expertFlags(split, shape), ...device];
  },
};

/** Experts of whole layers on the device, and the matrices that host memory holds of layers that are in two places. */
function placed(
  onHost: readonly (readonly ExpertMatrix[])[],
  { experts, matrices }: ExpertShape,
): FlaggedSplit["chosen"] & { readonly kind: "named" } {
  const resident = new Uint8Array(onHost.length * experts);
  for (const [layer, host] of onHost.entries())
    if (host.length === 0) resident.fill(1, layer * experts, (layer + 1) * experts);
  return {
    kind: "named",
    resident,
    hostMatrices: onHost.map((host) => (host.length === matrices ? [] : host)),
  };
}

/** The flags that say where experts are. */
function expertFlags(split: StaticSplit, shape: ExpertShape): string[] {
  const groups = new Map<string, number[]>();
  for (const [layer, name] of layerNames(split, shape).entries())
    if (name !== null) groups.set(name, [...(groups.get(name) ?? []), shape.moeLayers[layer]!]);
  const whole = groups.get(wholeName);
  if (groups.size === 1 && whole !== undefined) {
    if (whole.length === shape.moeLayers.length) return ["--cpu-moe"];
    const last = whole.at(-1)!;
    if (shape.moeLayers.filter((layer) => layer <= last).length === whole.length)
      return ["--n-cpu-moe", String(last + 1)];
  }
  return [...groups].flatMap(([name, layers]) => {
    const of = layers.length === shape.moeLayers.length ? "" : `blk\\.(${layers.join("|")})`;
    return ["-ot", `${of}\\.ffn_(${name})_exps\\.=CPU`];
  });
}

const wholeName = "gate|up|down";

/** [MoE layers] matrices in host memory, as a pattern names them; null where there are none. */
function layerNames({ resident, hostMatrices }: StaticSplit, { moeLayers, experts }: ExpertShape): (string | null)[] {
  return moeLayers.map((number, layer) => {
    const held = resident.subarray(layer * experts, (layer + 1) * experts).reduce((sum, one) => sum + one, 0);
    const parts = hostMatrices[layer] ?? [];
    if (parts.length > 0 && held === 0) return parts.join("|");
    if (held !== 0 && held !== experts)
      refuse({
        expected: "whole layers: llama.cpp keeps the experts of a layer together",
        found: `${held} of ${experts} experts of layer ${number} on the device`,
      });
    return held === 0 ? wholeName : null;
  });
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
