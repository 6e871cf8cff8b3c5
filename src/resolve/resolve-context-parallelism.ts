import { refuse } from "../core/errors.ts";
import type { EngineProfile } from "../engine/engine-profile.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { PoolConfig } from "../sim/config.ts";
import type { CpKvCache, Mapping } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";

/** Who keeps what of the KV cache under context parallelism, and what is said of it; nothing without. */
export interface ResolvedContextParallelism {
  readonly config: Pick<PoolConfig, "cpKvCache">;
  readonly ledger: readonly LedgerEntry[];
}

/** Flags of engines for context parallelism, with a replicated and with a sharded KV cache. */
const flags: Readonly<Record<string, Readonly<Record<CpKvCache, (cp: number) => string>>>> = {
  vllm: {
    replicated: (cp) => `--prefill-context-parallel-size ${cp}`,
    sharded: (cp) => `--prefill-context-parallel-size ${cp} --decode-context-parallel-size ${cp}`,
  },
  sglang: {
    replicated: (cp) => `--attn-cp-size ${cp}`,
    sharded: (cp) => `--attn-cp-size ${cp}; its decode context parallelism lies in tensor-parallel groups`,
  },
  "tensorrt-llm": {
    replicated: (cp) => `--cp_size ${cp}`,
    sharded: (cp) => `--cp_size ${cp}, Helix`,
  },
};

/**
 * The KV cache of context-parallel ranks: as the scenario says, else as the engine does it. Refuses a statement without such ranks,
 * and shards of caches whose keys are selected: every rank would select among its own.
 */
export function resolveContextParallelism(
  scenario: Scenario,
  engine: EngineProfile,
  model: ModelSpec,
  { cp }: Mapping,
): ResolvedContextParallelism {
  const stated = scenario.parallel.cpKvCache;
  const refused = (expected: string): never =>
    refuse({
      ...scenario.place(["parallel", "cpKvCache"]),
      at: "parallel.cpKvCache",
      expected,
      found: stated,
    });
  if (cp === 1) return stated === undefined ? { config: {}, ledger: [] } : refused("nothing: parallel.cp is 1");
  const selects = selectsKeys(model);
  if (stated === "sharded" && selects)
    refused("replicated: attention that selects or compresses keys is not simulated over shards of its cache");
  const cpKvCache = stated ?? defaultCpKvCache(engine, model);
  const flag = flags[engine.id.replace(/-(?:rocm|ascend)$/, "")]?.[cpKvCache](cp);
  const keeps =
    cpKvCache === "sharded"
      ? "each of which keeps a part of the KV cache; decodes merge partial outputs in an all-reduce"
      : "each of which keeps the whole KV cache and decodes every token";
  return {
    config: { cpKvCache },
    ledger: [
      {
        topic: "context parallelism",
        fidelity: "assumed",
        detail:
          `prompts are divided over ${cp} ranks${flag === undefined ? "" : ` (${flag})`}, ${keeps}; scores are balanced as zig-zag dealing ` +
          "does it, keys are gathered before them, and nothing overlaps the gather; no engine's times were compared",
      },
    ],
  };
}

/** How an engine keeps the cache of context-parallel ranks unless it is told. */
export function defaultCpKvCache(engine: Pick<EngineProfile, "id">, model: ModelSpec): CpKvCache {
  return engine.id === "tensorrt-llm" && !selectsKeys(model) ? "sharded" : "replicated";
}

/** Whether a query attends to keys that an indexer selects, or to compressed ones. */
function selectsKeys({ layers }: ModelSpec): boolean {
  return layers.some(
    ({ attention }) => attention.kind === "mla" && (attention.indexer !== null || attention.compressed !== undefined),
  );
}
