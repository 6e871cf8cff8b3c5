import { formatPercent } from "../../core/units.ts";
import type { Workload } from "../config.ts";
import type { Handover } from "../handover/handover.ts";
import { exchangesTokens, moeShape, stageRanks } from "../mapping.ts";
import { offloadMemoryEntries } from "../offload/memory-entries.ts";
import { layOutPools, shareNode } from "../pool-layout.ts";
import type { LedgerEntry } from "../result.ts";
import { scalesExchange } from "../routing/experts.ts";
import { pooledLedger } from "./pooled-ledger.ts";
import type { RunView } from "./run-view.ts";

type PoolView = RunView["pools"][number];

/** What the simulator itself replayed, emulated or assumed in a run. */
export function simulationLedger(run: RunView): LedgerEntry[] {
  const { pools, config } = run;
  const entries = pooledLedger(
    pools.map((pool) => ({ name: pool.config.name, ledger: poolLedger(pool, config.workload) })),
  );
  if (run.handover !== null) entries.push(handoverEntry(run.handover));
  if (run.models === null && shareRoots(pools)) entries.push(poolsOnRoots);
  return entries;
}

const poolsOnRoots: LedgerEntry = {
  topic: "pools on a node",
  fidelity: "assumed",
  detail: "collectives of different pools do not take turns on the root complexes of a node, nor with KV caches",
};

/** Whether pools have devices of one node that meet only through their host. */
function shareRoots(pools: readonly PoolView[]): boolean {
  const layouts = layOutPools(pools.map(({ config }) => config));
  return pools.some(
    ({ config: { node, mapping } }, i) =>
      node.device.scaleUp === null &&
      stageRanks(mapping) > 1 &&
      layouts.some((other, j) => i !== j && shareNode(layouts[i]!, other, node)),
  );
}

function handoverEntry({ config }: Handover): LedgerEntry {
  const { reserves, transfer, firstToken } = config;
  const room = reserves === "beforePrefill" ? "before its prompt is computed" : "once its prompt is computed";
  const what = { request: "all at once", chunk: "chunk by chunk", layers: "layer by layer" }[transfer];
  const first = {
    prefill: "with the prompt",
    handover: "when its KV cache has arrived",
    decodeStep: "by a step of the decode pool, which computes the last prompt token again",
  }[firstToken];
  return {
    topic: "KV hand-over",
    fidelity: "emulated",
    detail:
      `a request gets room in the decode pool ${room}; its KV cache is sent ${what}, one after the other on the links of ` +
      `each data-parallel rank's devices; the first token comes ${first}; preempted requests are computed again where they decode`,
  };
}

function poolLedger(run: PoolView, workload: Workload): LedgerEntry[] {
  const { config, experts } = run;
  const { mapping, engine, routing } = config;
  const entries: LedgerEntry[] = [];
  const add = (topic: string, fidelity: LedgerEntry["fidelity"], detail: string) =>
    entries.push({ topic, fidelity, detail });

  if (experts.replay !== null && routing.kind === "replay") {
    const { table, rowReads } = experts.replay;
    const reuse = rowReads / table.rows;
    add(
      "routing replay",
      table.origin.kind === "recorded" ? "replayed" : "generated",
      `each token reads one of ${table.rows} rows of ${table.origin.name} (phase recorded: ${table.origin.phase}); ` +
        `every row is read ${reuse.toFixed(1)} times on average, start ${routing.start}`,
    );
    const distinct = new Set(routing.layerMap).size;
    if (distinct < routing.layerMap.length || table.layers !== routing.layerMap.length)
      add(
        "layer mapping",
        "assumed",
        `${routing.layerMap.length} MoE layers replay ${distinct} recorded layers: ${summary(routing.layerMap)}`,
      );
    const without = experts.loads?.withoutExpertShare() ?? 0;
    const zeroExperts = moeShape(config.model)?.zeroExperts ?? 0;
    if (without > 0)
      add(
        "choices without an expert",
        "emulated",
        `${formatPercent(without, 1)} of all choices${zeroExperts > 0 ? ", those of experts that return their input among them" : ""}: ` +
          "nothing is computed, sent or fetched for them",
      );
    add("arrivals and routing", "assumed", "request lengths and routing rows are composed independently");
  } else if (routing.kind === "uniform") {
    add(
      "routing",
      "assumed",
      `tokens routed independently, popularity of experts with a variation of ${routing.popularityCv ?? 0}: expected distinct ` +
        "experts and load of the most loaded rank; no locality, no lasting order of layers",
    );
  }
  if (exchangesTokens(mapping) && engine.expertExchange === "allToAll")
    add(
      "dispatch and combine volumes",
      "emulated",
      "pairs per rank are counted from routing; copies of a token to one rank are merged by the trace's mean per layer, " +
        "and senders are spread evenly over ranks",
    );
  if (scalesExchange(config) && experts.replay !== null)
    add(
      "exchange under the placement",
      "emulated",
      "bytes that DeepEP's normal mode sends inside and between nodes: those of evenly picked experts, times the ranks and nodes that " +
        "recorded tokens touch under the placement, over the mean of all placements; copies as the dispatch rule takes them",
    );
  if (config.speculation !== null) speculationEntries(run, add);
  if (experts.offloads.caches.length > 0) {
    add(
      "expert cache",
      "replayed",
      `event-atomic: hits judged at the start of each layer call, ${config.offload?.prefetch === undefined ? "demand fetch only, " : ""}start-up loads not counted` +
        (config.offload?.overlap === false ? "; computing waits for every transfer" : ""),
    );
    const { caches, logs, nodes, hosts } = experts.offloads;
    if (caches.length > nodes.length)
      add(
        "host memory and NVMe",
        "emulated",
        `${nodes.length === 1 ? "all devices share those of one node" : `devices share those of ${nodes.length} nodes`}: ` +
          "one transfer after the other at full bandwidth, in the order in which they are asked for",
      );
    if (config.offload?.pinned === false)
      add("pageable host memory", "assumed", "one thread copies each expert at 10.5 GB/s before the link transfers it");
    if (config.node.sockets !== undefined)
      add(
        "memory of sockets",
        "emulated",
        config.offload?.numa === "interleave"
          ? "every expert lies in even parts in the memories of all sockets; reads of the others' cross the link between them"
          : "experts lie in the memory of the socket whose devices read them while it has room, then in another one's",
      );
    if (hosts.some(({ directReads }) => directReads > 0))
      add(
        "direct disk reads",
        "assumed",
        "past host memory at the bandwidth and latency that disks reach through it, at no cost for the processor",
      );
    for (const [topic, detail] of offloadMemoryEntries(config)) add(topic, "assumed", detail);
    if (logs.some((log) => log.stopped))
      add("clairvoyant reference", "replayed", `on the first ${logs[0]?.accesses} accesses of each rank`);
  }
  if (run.roots.of !== null)
    add(
      "root complexes",
      "emulated",
      "collectives of replicas and stages on one node take turns on its root complexes, as long as the devices' links are taken" +
        (mapping.dp > 1 && mapping.tp > 1 ? "; those inside data-parallel ranks do not" : ""),
    );
  const logits = engine.reservesLogits ? "token" : "sequence";
  add("activation memory", "assumed", `largest step's residual stream and intermediates, float32 logits per ${logits}`);
  add(
    "kernel overhead",
    "assumed",
    `${engine.name} ${engine.version}: ${engine.kernelOverheadNs / 1000} us per kernel, ` +
      `${engine.stepOverheadNs / 1000} us per step, ${engine.sequenceOverheadNs / 1000} us per sequence`,
  );
  if (mapping.pp > 1)
    add("pipeline", "emulated", "sequences are divided evenly over the steps in flight; hand-offs do not contend");
  const { prefix, origin } = workload.requests;
  const sharesPrefixes = config.scheduler.prefixCaching && prefix !== null;
  if (sharesPrefixes) {
    const [fidelity, by] =
      origin.kind === "generated" ? (["generated", "generator"] as const) : (["replayed", "trace"] as const);
    add("prefix cache", fidelity, `blocks of ${prefix.blockTokens} tokens named by the ${by}`);
  }
  const kept = keptApart(run);
  if (kept !== "")
    add(
      "windows and states",
      "emulated",
      `${kept} (${engine.name})` +
        (sharesPrefixes
          ? "; a cached prefix brings those of its last tokens, which each request holds for itself"
          : ""),
    );
  return entries;
}

/** Where the engine keeps caches that do not grow with the context, in words; empty for a model without such caches. */
function keptApart({ config, cost }: PoolView): string {
  const { caches } = config.engine;
  const kept = cost.attention.flatMap((program) => program.caches);
  const places: string[] = [];
  const say = (what: string, pool: string | number) => places.push(`${what} ${placeWords(pool)}`);
  if (kept.some((cache) => cache.kind === "window" && !cache.chunked)) say("windows", caches.windows);
  if (kept.some((cache) => cache.kind === "window" && cache.chunked)) say("chunks", caches.chunks);
  if (kept.some((cache) => cache.kind === "state")) say("states", caches.states);
  return places.join(", ");
}

function placeWords(pool: string | number): string {
  if (pool === "shared") return "in blocks of the KV cache";
  if (pool === "reserved") return "set aside for the most sequences";
  return pool === "full" ? "kept whole" : "in a pool of their own";
}

function speculationEntries(
  { config, speculation }: PoolView,
  add: (topic: string, fidelity: LedgerEntry["fidelity"], detail: string) => void,
): void {
  const { draft, draftTokens } = config.speculation!;
  const { verifications, drafted, accepted } = speculation!;
  const length = verifications === 0 ? "none" : `${(1 + accepted / verifications).toFixed(2)} tokens each`;
  add(
    "speculative decoding",
    "emulated",
    `${verifications} verifications of up to ${draftTokens} draft tokens, ${length}, ${accepted} of ${drafted} accepted; ` +
      "acceptance is drawn by position, independently of the text and of routing",
  );
  if (config.routing.kind === "replay")
    add(
      "routing of draft tokens",
      "emulated",
      "draft tokens read the rows that follow; a rejected one would have been another token, with experts of its own",
    );
  if (draft.kind === "free") return;
  const layers = draft.layersPerToken === 1 ? "one layer" : `${draft.layersPerToken} layers`;
  add(
    "draft module",
    "assumed",
    (draft.kind === "mtp"
      ? `${layers} like the model's last, uniform routing`
      : `${layers} of the model's attention and a dense network as wide as the model's, or as a token's experts, 16-bit`) +
      "; a join of embedding and hidden state, and the model's head",
  );
}

function summary(layerMap: readonly number[]): string {
  const text = layerMap.join(",");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
