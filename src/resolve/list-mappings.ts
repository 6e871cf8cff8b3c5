import { InfeasibleError } from "../core/errors.ts";
import type { EngineProfile } from "../engine/engine-profile.ts";
import { defaultFrontEnds } from "../engine/resolve-engine.ts";
import type { Node } from "../hardware/device.ts";
import type { ModelSpec } from "../models/spec.ts";
import { routers } from "../policy/router/routers.ts";
import type { PoolConfig } from "../sim/config.ts";
import type { Mapping } from "../sim/mapping.ts";
import { expertDomains, isFolded, mappingsOf, unfoldedDevices } from "../sim/mappings.ts";
import { kvBlockTokens } from "../sim/memory/kv-pools.ts";
import { poolMemory } from "../sim/memory/pool-memory.ts";
import { defaultCpKvCache } from "./resolve-context-parallelism.ts";
import { schedulerOf } from "./resolve-engine.ts";
import { servedEngine } from "./served-engine.ts";
import { startUpFindings } from "./start-up/start-up-rules.ts";

/** What a model is spread over, and who serves it. */
export interface MappingQuestion {
  readonly model: ModelSpec;
  readonly node: Node;
  readonly engine: EngineProfile;
  readonly devices: number;
}

/** A mapping and what is known of it before anything is simulated. */
export interface ListedMapping {
  readonly mapping: Mapping;
  /** Whether attention and experts are divided as only folding allows, and the devices that the same degrees take without. */
  readonly folded: boolean;
  readonly unfoldedDevices: number;
  /** Nodes, or domains of a scale-up link, that one copy of the experts lies in: tokens do not leave one. */
  readonly expertDomains: number;
  /**
   * Bytes of the weights on the most loaded device; blocks of the main KV pool of a data-parallel rank and their tokens; the longest
   * sequence for which there is room. null: it does not fit.
   */
  readonly memory: {
    readonly weightBytes: number;
    readonly kvBlocks: number;
    readonly kvBlockTokens: number;
    readonly sequenceTokensMax: number;
  } | null;
  /** Why the engine does not start it, and what it does otherwise. */
  readonly refusals: readonly string[];
  readonly notes: readonly string[];
}

/**
 * The first `most` mappings of a model over devices, in the order of {@link mappingsOf}, and how many there are. Formats are those of
 * the release, scheduler limits the defaults of the engine.
 */
export function listMappings(
  question: MappingQuestion,
  most: number,
): { readonly all: number; readonly listed: readonly ListedMapping[] } {
  const listed: ListedMapping[] = [];
  let all = 0;
  for (const mapping of mappingsOf(question.model, question.node, question.devices))
    if (all++ < most) listed.push(judge(question, mapping));
  return { all, listed };
}

function judge({ model, node, engine: named }: MappingQuestion, mapping: Mapping): ListedMapping {
  const engine = servedEngine(named, node.device);
  const config: PoolConfig = {
    model,
    formats: model.formats,
    weightBits: model.weightBits,
    kvFormat: model.kvFormat,
    node,
    engine,
    mapping,
    ...(mapping.cp === 1 ? {} : { cpKvCache: defaultCpKvCache(engine, model) }),
    replicas: 1,
    frontEnds: defaultFrontEnds(engine, mapping.dp),
    readyNs: 0,
    scheduler: schedulerOf({ id: engine.id } as Parameters<typeof schedulerOf>[0], engine, model, {}),
    router: routers["round-robin"],
    routing: { kind: "uniform" },
    placement: null,
    offload: null,
    speculation: null,
  };
  const findings = startUpFindings(config);
  const saying = (severity: "refusal" | "warning") =>
    findings.filter((finding) => finding.severity === severity).map(({ reason }) => reason);
  return {
    mapping,
    folded: isFolded(mapping),
    unfoldedDevices: unfoldedDevices(mapping),
    expertDomains: expertDomains(mapping, node),
    memory: memoryOf(config),
    refusals: saying("refusal"),
    notes: saying("warning"),
  };
}

function memoryOf(config: PoolConfig): ListedMapping["memory"] {
  try {
    const { weightBytes, kv } = poolMemory(config);
    return {
      weightBytes,
      kvBlocks: kv.main.capacity,
      kvBlockTokens: kvBlockTokens(config),
      sequenceTokensMax: kv.sequenceTokensMax,
    };
  } catch (error) {
    if (error instanceof InfeasibleError) return null;
    throw error;
  }
}
