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

/** What it reads of a model before it starts: all, unless it maps the file (`llama_load_mode`). */
const loadModes = { mmap: "mapped", none: "whole", mlock: "whole", dio: "whole" } as const;

/**
 * llama.cpp holds the experts of a layer in two or three tensors, each on one side as a whole. `--n-cpu-moe` names the first
 * layers, `--cpu-moe` all, and `-ot` any tensor by regular expression; the first that matches counts, and `-ot` goes before the
 * others.
 * What is on the host lies in pages of the file, unless `--no-mmap`, `--mlock` or `--direct-io` have it in memory from the start.
 */
export const llamaCpp: FlagDialect = {
  engine: "llama.cpp",
  read(words, shape) {
    const reader = new FlagReader(words);
    const overrides: Override[] = [];
    const unread: string[] = [];
    let hostLayers = 0;
    let deviceLayers = Number.POSITIVE_INFINITY;
    let allCaches = false;
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
          deviceLayers = deviceLayersOf(reader.value(flag));
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
          allCaches = true;
          break;
        default:
          unread.push(flag);
      }
    // The output layer counts, and is the first to go to the device.
    const whole = Math.max(0, shape.layers + 1 - deviceLayers);
    const layers = Math.min(whole, shape.layers);
    const onHost = matricesOnHost(
      overrides,
      { experts: (layer) => layer < Math.max(hostLayers, layers), all: (layer) => layer < layers },
      shape,
    );
    return {
      chosen: placed(onHost, shape),
      host: layers > 0 || allCaches ? { layers, head: whole > shape.layers, allCaches } : null,
      deviceFrom,
      deferred: 0,
      loading,
      unread,
    };
  },
  write(split, shape) {
    if (split.deferred > 0)
      refuse({ expected: "nothing deferred: llama.cpp waits for every expert", found: split.deferred });
    const device = [
      ...(split.deviceFrom === null ? ["--no-op-offload"] : []),
      ...(split.loading === "whole" ? ["--no-mmap"] : []),
    ];
    return [...hostFlags(split, shape), ...expertFlags(split, shape), ...device];
  },
};

/** The flags that say which layers and caches are the host's. */
function hostFlags({ host }: StaticSplit, { layers }: ExpertShape): string[] {
  if (host === null) return [];
  const onDevice = layers + 1 - host.layers - (host.head ? 1 : 0);
  return [
    ...(host.layers === 0 ? [] : ["--n-gpu-layers", String(onDevice)]),
    ...(host.allCaches ? ["--no-kv-offload"] : []),
  ];
}

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
  // What --n-gpu-layers leaves to the host need not be said again.
  const said = (layer: number, name: string | null): boolean =>
    shape.moeLayers[layer]! < (split.host?.layers ?? 0) && name === wholeName;
  const left = layerNames(split, shape).map((name, layer) => (said(layer, name) ? null : name));
  for (const [layer, name] of left.entries())
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

function loadingOf(mode: string): "mapped" | "whole" {
  if (!Object.hasOwn(loadModes, mode))
    refuse({ expected: `--load-mode of ${Object.keys(loadModes).join(", ")}`, found: mode });
  return loadModes[mode as keyof typeof loadModes];
}

/** Layers on the device, the output layer among them. */
function deviceLayersOf(value: string): number {
  if (/^(all|auto|-[12])$/i.test(value)) return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(value)) refuse({ expected: "a number of layers, or all", found: value });
  return Number(value);
}
