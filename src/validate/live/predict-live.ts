import type { LiveProfile } from "../../calibrate/live/live-profile.ts";
import type { LiveShape } from "../../calibrate/measured/live-measurements.ts";
import { resolveEngine } from "../../engine/resolve-engine.ts";
import type { MemoryTier, Node } from "../../hardware/device.ts";
import { resolveDevice } from "../../hardware/resolve.ts";
import type { ModelSpec } from "../../models/spec.ts";
import { type CachePolicyName, cachePolicies } from "../../policy/cache/caches.ts";
import { routers } from "../../policy/router/routers.ts";
import type { SimConfig } from "../../sim/config.ts";
import type { PrefetchCounts } from "../../sim/result.ts";
import { Simulation } from "../../sim/simulation.ts";
import type { RequestTable } from "../../trace/request-table.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import type { LivePrefetch, SentCounts } from "./live-prefetch.ts";
import { onSharedCores } from "./thread-overlap.ts";

/** What is run live and simulated alike: requests that decode side by side through a trace's expert layers. */
export interface LiveSetting {
  readonly table: RoutingTable;
  readonly shape: LiveShape;
  /** Those that are run on real experts. */
  readonly cache: Extract<CachePolicyName, "lru" | "lfu" | "fifo" | "static">;
  /** Experts of a layer that are kept on the device. */
  readonly slots: number;
  /** Where missing experts come from: host memory, or a file that the page cache holds. */
  readonly from: "host" | "disk";
  /** [layers x experts] uses that a static set is chosen by. */
  readonly popularity: Float64Array;
  readonly batch: number;
  readonly requests: number;
  readonly tokensPerRequest: number;
  /** Who sends experts ahead; null: nobody. */
  readonly prefetch: LivePrefetch | null;
}

/** What the simulator says of it. */
export interface LivePrediction {
  readonly stepNs: Float64Array;
  readonly hits: number;
  readonly misses: number;
  /** Time that was waited for missing experts, over the run. */
  readonly fetchNs: number;
  /** What became of experts that were sent ahead; null where none were. */
  readonly sent: SentCounts | null;
}

/**
 * Runs the simulator on the setting with the machine's fitted profile. `overlap` is how far a thread that computes and one that
 * uploads overlap there; where nothing is sent ahead it does not matter.
 */
export function predictLive(profile: LiveProfile, setting: LiveSetting, overlap = 1): LivePrediction {
  const stepNs: number[] = [];
  let besideNs = 0;
  const simulation = new Simulation(liveConfig(profile, setting), (ns, endNs) => {
    const before = besideNs;
    besideNs = besideComputing(simulation, endNs);
    stepNs.push(onSharedCores(ns, besideNs - before, overlap));
  });
  simulation.advance(Number.POSITIVE_INFINITY);
  const result = simulation.result();
  const { hits = 0, misses = 0, prefetch } = result.cache ?? {};
  const late = prefetch?.late ?? 0;
  return {
    stepNs: Float64Array.from(stepNs),
    // An expert on its way counts as one that is there: how far it is depends on the times.
    hits: hits + late,
    misses: misses - late,
    fetchNs: result.time.expertFetch,
    sent: prefetch === undefined ? null : sentCounts(prefetch),
  };
}

/** Time before `endNs` for which experts were uploaded while layers computed: that of uploads but for what was waited for. */
function besideComputing(simulation: Simulation, endNs: number): number {
  const { link, stallNs } = simulation.pools[0]!.experts.offloads.caches[0]!;
  link.settle(Math.max(endNs, link.atNs));
  return link.busyBefore(endNs) - stallNs;
}

const sentCounts = ({ followed, useful, evicted, unused, refused, late }: PrefetchCounts): SentCounts => ({
  followed,
  useful,
  evicted,
  unused,
  refused,
  late,
});

function liveConfig(profile: LiveProfile, setting: LiveSetting): SimConfig {
  const { table, batch, requests, tokensPerRequest, prefetch } = setting;
  const engine = resolveEngine(profile.engine);
  const model = expertLayers(setting);
  return {
    seed: 0,
    model,
    formats: model.formats,
    kvFormat: "fp32",
    node: liveNode(profile, setting.from),
    engine,
    mapping: { tp: 1, cp: 1, dp: 1, pp: 1, ep: 1, etp: 1, edp: 1 },
    replicas: 1,
    frontEnds: 1,
    readyNs: 0,
    scheduler: {
      ...engine.defaults,
      maxBatchTokens: batch,
      maxSequences: batch,
      contextTokensMax: tokensPerRequest + 1,
    },
    router: routers["round-robin"],
    workload: { kind: "closed", concurrency: batch, requests: requestTable(requests, tokensPerRequest) },
    routing: { kind: "replay", table, layerMap: Array.from({ length: table.layers }, (_, l) => l), start: "zero" },
    placement: null,
    offload: {
      policy: cachePolicies[setting.cache],
      admission: null,
      scope: "layer",
      slots: setting.slots,
      hostBytes: Number.MAX_SAFE_INTEGER,
      pinned: true,
      popularity: setting.popularity,
      overlap: false,
      ...(prefetch === null ? {} : { prefetch: { ...prefetch, chunks: 1, latencyNs: 0, preempt: false } }),
      logAccessesMax: 0,
    },
    speculation: null,
    warmupRequests: 0,
  };
}

/** Layers of experts and nothing else, as they are executed: float32, no attention, and a head of one value. */
function expertLayers({ table, shape }: LiveSetting): ModelSpec {
  const float = "fp32";
  return {
    id: "expert-layers",
    name: "expert layers of the trace",
    modelType: "live",
    hiddenSize: shape.hidden,
    vocabSize: 1,
    tiedEmbeddings: true,
    contextTokensMax: 1 << 20,
    layers: Array.from({ length: table.layers }, () => ({
      attention: { kind: "none" },
      feedForward: {
        kind: "moe",
        experts: table.experts,
        topK: table.topK,
        expertWidth: shape.width,
        matrices: 3,
        expertHidden: shape.hidden,
        sharedWidth: 0,
        sharedGate: false,
        expertBiasParameters: 0,
        denseWidth: 0,
        router: { scoring: "softmax", normalisesTopK: true, groups: null, bias: false },
      },
    })),
    mtpLayers: 0,
    formats: {
      embedding: float,
      attention: float,
      dense: float,
      router: float,
      shared: float,
      experts: float,
      head: float,
      norm: float,
    },
    kvFormat: float,
    provenance: {},
  };
}

/** The machine with memory for whatever is run: whether that fits was decided before it ran. */
function liveNode({ device, links, measurements }: LiveProfile, from: "host" | "disk"): Node {
  const upload = links.fetch;
  // Reading a file and uploading what it holds are one after the other: one thread does both.
  const read = from === "disk" ? links.diskWarm : null;
  const latencyNs = upload.latencyNs + (read?.latencyNs ?? 0);
  const bytesPerSecond = 1 / (1 / upload.bytesPerSecond + 1 / (read?.bytesPerSecond ?? Number.POSITIVE_INFINITY));
  const resolved = resolveDevice(device);
  const host: MemoryTier = {
    id: "host",
    kind: "ddr",
    bytes: Number.MAX_SAFE_INTEGER,
    // What a fetch takes was measured together with the memory that it reads.
    read: { name: `host memory of ${measurements.backend.device}`, latencyNs, bytesPerSecond, efficiency: 1 },
  };
  return {
    device: {
      ...resolved,
      memoryBytes: Number.MAX_SAFE_INTEGER,
      hostLink: { ...resolved.hostLink!, latencyNs, bytesPerSecond },
    },
    devicesPerNode: 1,
    tiers: [host],
  };
}

/** Requests of one prompt token: its step and those of all later tokens but the last give `outputTokens` steps. */
function requestTable(count: number, outputTokens: number): RequestTable {
  return {
    count,
    arrivalNs: new Float64Array(count),
    promptTokens: new Uint32Array(count).fill(1),
    outputTokens: new Uint32Array(count).fill(outputTokens),
    classOf: new Uint16Array(count),
    classes: ["default"],
    domainOf: null,
    domains: [],
    prefix: null,
    origin: { kind: "generated", name: "live", digest: "", notes: [] },
  };
}
