import { launchers } from "../../engine/launch/launchers.ts";
import { poolSections } from "../../scenario/pools-section.ts";

/**
 * What becomes of a key of a scenario in deployable files. `expressed`: every engine's files say it, or refuse its value by name.
 * `launched`: some engines' lines say it; the others refuse it where it is stated. `benchmarked`: the benchmark repeats it.
 * `machine`: what the hardware is, which nobody chooses by starting a program. `simulated`: how the forecast is made. `refused`: no
 * file says it, so that it is refused where it is stated.
 */
type ChoiceClass = "expressed" | "launched" | "benchmarked" | "machine" | "simulated" | "refused";

interface ChoiceRow {
  readonly as: ChoiceClass;
  /** Why it is refused, or where it is said. */
  readonly why: string;
}

const serverSide = "replicas are started by hand or by Kubernetes";
const turns =
  "models that take turns on the same devices: no engine is told to load and unload them as the forecast does";
const mapped = "the map that it makes is written";
const kept = "a fixed set of experts: the flags of the line say which";
const cached = "engines have no expert cache that is told this";

/**
 * Keys of a scenario. A row stands for its key; one that ends in `.**` for all that lies below. Keys of a pool are those of the
 * scenario.
 */
export const choiceRows: Readonly<Record<string, ChoiceRow>> = {
  version: { as: "simulated", why: "version of the format" },
  name: { as: "expressed", why: "names of Kubernetes objects" },
  description: { as: "simulated", why: "text" },
  params: { as: "simulated", why: "names of files" },
  seed: { as: "simulated", why: "random streams" },
  warmup: { as: "simulated", why: "which requests statistics leave out" },
  coldStart: { as: "simulated", why: "what the forecast takes a start to last" },
  "coldStart.**": { as: "simulated", why: "what the forecast takes a start to last" },
  "slo.**": { as: "simulated", why: "what is judged" },
  slo: { as: "simulated", why: "what is judged" },
  plan: { as: "simulated", why: "the question of a plan, which names no deployment" },
  "plan.**": { as: "simulated", why: "the question of a plan, which names no deployment" },
  sweep: { as: "simulated", why: "configurations of a sweep" },
  "sweep.**": { as: "simulated", why: "configurations of a sweep" },
  cost: { as: "simulated", why: "what is charged" },
  "cost.**": { as: "simulated", why: "what is charged" },
  traffic: { as: "benchmarked", why: "the list of requests" },
  "traffic.**": { as: "benchmarked", why: "the list of requests" },
  routing: { as: "simulated", why: "what the router of the model does" },
  "routing.**": { as: "simulated", why: "what the router of the model does" },
  "routing.transforms": { as: "refused", why: "another model: its checkpoint has to be made" },
  "routing.transforms.**": { as: "simulated", why: "part of routing.transforms" },

  model: { as: "expressed", why: "MODEL" },
  "model.id": { as: "expressed", why: "MODEL" },
  "model.file": { as: "expressed", why: "MODEL" },
  "model.shape": { as: "expressed", why: "MODEL" },
  "model.shape.**": { as: "expressed", why: "MODEL" },
  "model.dtypes": { as: "expressed", why: "MODEL, a checkpoint in these formats" },
  "model.expertBits": { as: "expressed", why: "MODEL, a checkpoint with these widths" },
  "model.kvCacheDtype": { as: "expressed", why: "the flag for it" },

  hardware: { as: "machine", why: "the nodes" },
  "hardware.**": { as: "machine", why: "the nodes" },
  "hardware.devicesPerNode": { as: "expressed", why: "nodes of a replica, devices of a pod" },
  "hardware.host.threads": { as: "launched", why: "threads that compute experts" },

  engine: { as: "expressed", why: "the program" },
  "engine.id": { as: "expressed", why: "the program" },
  "engine.file": { as: "expressed", why: "the program, by the id of the profile" },
  "engine.version": { as: "expressed", why: "tag of the image, version of the package" },
  "engine.maxNumBatchedTokens": { as: "expressed", why: "the flag for it" },
  "engine.maxNumSeqs": { as: "expressed", why: "the flag for it" },
  "engine.maxModelLen": { as: "expressed", why: "the flag for it" },
  "engine.enableChunkedPrefill": { as: "expressed", why: "the flag for it" },
  "engine.enablePrefixCaching": { as: "expressed", why: "the flag for it" },
  "engine.apiServerCount": { as: "launched", why: "the flag for it" },
  "engine.schedulerRecvInterval": { as: "launched", why: "the flag for it" },
  "engine.blockSize": { as: "launched", why: "the flag for it" },
  "engine.gpuMemoryUtilization": { as: "launched", why: "the flag for it" },
  "engine.all2allBackend": { as: "launched", why: "the flag for it" },
  "engine.enableDbo": { as: "launched", why: "the flag for it" },
  "engine.dboDecodeTokenThreshold": { as: "launched", why: "the flag for it" },
  "engine.dboPrefillTokenThreshold": { as: "launched", why: "the flag for it" },
  "engine.moeA2aBackend": { as: "launched", why: "the flag for it" },
  "engine.deepepMode": { as: "launched", why: "the flag for it" },
  "engine.deepepNumMaxDispatchTokensPerRank": { as: "launched", why: "the environment variable" },
  "engine.enableTwoBatchOverlap": { as: "launched", why: "the flag for it" },
  "engine.enableSingleBatchOverlap": { as: "launched", why: "the flag for it" },
  "engine.forceAlltoallMethod": { as: "launched", why: "the environment variable" },
  "engine.startsAnyway": { as: "refused", why: "a release of the engine is pinned, which does not start it" },
  "engine.speculative": { as: "launched", why: "the flags for it" },
  "engine.speculative.method": { as: "expressed", why: "the flags for it" },
  "engine.speculative.draftTokens": { as: "expressed", why: "the flags for it" },
  "engine.speculative.acceptance": { as: "simulated", why: "what the forecast takes drafts to be worth" },
  "engine.speculative.draftLayers": { as: "simulated", why: "what the forecast takes drafts to cost" },

  parallel: { as: "expressed", why: "the flags for it" },
  "parallel.tp": { as: "launched", why: "the flag for it" },
  "parallel.cp": { as: "launched", why: "the flag for it" },
  "parallel.cpKvCache": { as: "launched", why: "the flags for it" },
  "parallel.dp": { as: "launched", why: "the flag for it" },
  "parallel.pp": { as: "launched", why: "the flag for it" },
  "parallel.ep": { as: "launched", why: "the flag for it" },
  "parallel.etp": { as: "launched", why: "what the other degrees leave" },
  "parallel.edp": { as: "refused", why: "no engine here is told to hold several copies of all experts in one replica" },
  "parallel.replicas": { as: "expressed", why: "replicas of the Kubernetes object; the script is run once for each" },

  policy: { as: "expressed", why: "its parts" },
  "policy.placement": { as: "launched", why: "the map, in the engine's format" },
  "policy.placement.**": { as: "simulated", why: mapped },
  "policy.placement.dispatch": { as: "launched", why: "the flag for it" },
  "policy.placement.dispatch.**": { as: "simulated", why: "part of policy.placement.dispatch" },
  "policy.placement.rebalance": { as: "launched", why: "the flags for it" },
  "policy.placement.rebalance.**": { as: "expressed", why: "the flags for it" },
  "policy.offload": { as: "launched", why: "the flags that divide experts between device and host" },
  "policy.offload.**": { as: "expressed", why: kept },
  "policy.offload.admission": { as: "refused", why: cached },
  "policy.offload.admission.**": { as: "simulated", why: "part of policy.offload.admission" },
  "policy.offload.prefetch": { as: "refused", why: cached },
  "policy.offload.prefetch.**": { as: "simulated", why: "part of policy.offload.prefetch" },
  "policy.offload.diskPath": { as: "refused", why: cached },
  "policy.offload.hostCache": { as: "refused", why: cached },
  "policy.offload.tiering": { as: "refused", why: cached },
  "policy.offload.overlap": { as: "refused", why: cached },
  "policy.offload.numa": { as: "refused", why: cached },
  "policy.offload.hostMemory": { as: "machine", why: "memory that the host has for experts" },
  "policy.offload.pinned": { as: "machine", why: "how the engine allocates" },
  "policy.offload.pageCache": { as: "machine", why: "memory that the operating system has for pages" },
  "policy.offload.pageCopy": { as: "machine", why: "speed of the host" },
  "policy.offload.logAccesses": { as: "simulated", why: "what is reported" },
  "policy.offload.fit": { as: "simulated", why: "where popularity is counted" },
  "policy.offload.fit.**": { as: "simulated", why: "where popularity is counted" },
  "policy.router": { as: "launched", why: "the rule of the engine among its ranks" },
  "policy.scaling": { as: "refused", why: "replicas that come and go: the files start those of the beginning" },
  "policy.scaling.**": { as: "simulated", why: "part of policy.scaling" },

  pools: { as: "expressed", why: "a line and a Kubernetes object of each" },
  "pools.name": { as: "expressed", why: "names of files and objects" },
  "pools.role": { as: "expressed", why: "the flags for it" },
  "pools.serves": { as: "refused", why: turns },
  "pools.variants": { as: "refused", why: turns },
  "pools.popularity": { as: "refused", why: turns },
  "pools.firstDevice": { as: "refused", why: `which devices of a node: ${serverSide}` },
  handover: { as: "expressed", why: "its parts" },
  "handover.reserves": { as: "expressed", why: "what the engine does by itself" },
  "handover.transfer": { as: "expressed", why: "what the engine does by itself" },
  "handover.firstToken": { as: "expressed", why: "what the engine does by itself" },
  "handover.reservedOutputTokens": { as: "launched", why: "the flag for it" },
  "handover.localPromptTokens": { as: "refused", why: "short prompts on the decode side: the proxy in front decides" },
  "handover.router": { as: "refused", why: "which decode replica takes a request: the proxy in front decides" },
  modelCache: { as: "refused", why: turns },
  "modelCache.**": { as: "simulated", why: "part of modelCache" },
};

/** A path as the rows name it: keys of a pool's own section are those of the scenario's. */
export function choicePath(path: string): string {
  const [first, second, ...rest] = path.split(".");
  return first === "pools" && poolSections.some((section) => section === second) ? [second, ...rest].join(".") : path;
}

/** The row of a path: its own, else that of the nearest key above that stands for all below. Undefined where there is none. */
export function choiceRowOf(path: string): ChoiceRow | undefined {
  const steps = choicePath(path).split(".");
  const own = choiceRows[steps.join(".")];
  if (own !== undefined) return own;
  for (let length = steps.length - 1; length > 0; length--) {
    const above = choiceRows[`${steps.slice(0, length).join(".")}.**`];
    if (above !== undefined) return above;
  }
  return undefined;
}

/** Engines by whether their lines say a key. */
export const saysChoice = (engine: string, path: string): boolean =>
  launchers.some(({ engines, expresses }) => engines.includes(engine) && expresses.includes(path));
