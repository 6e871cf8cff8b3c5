import { activationBytes } from "../../hardware/cost/context.ts";
import { scoreValues } from "../../models/score-values.ts";
import type { PoolConfig } from "../config.ts";
import { kvShards } from "../mapping.ts";
import type { AttentionProgram } from "./attention-parts.ts";
import type { RankBatch } from "./batch.ts";
import type { LinkTime } from "./link-time.ts";
import { layerClasses } from "./stage-plan.ts";

/** A log-sum-exp of a head, in fp32. */
const logSumBytes = 4;

/** Bytes of a token in a cache, and the window under which its keys are counted. */
interface Gathered {
  readonly bytesPerToken: number;
  readonly window: number;
}

/**
 * What the ranks of a context-parallel group send each other around the scores of a layer. Keys and values of prompts are gathered
 * on every rank before them (SGLang, prefill context parallelism; vLLM, docs/serving/context_parallel_deployment.md, "partial
 * query, full key/value"): those of the step's tokens, and where the cache is sharded those of the context too. Decodes over a
 * sharded cache add up partial outputs, weighted by their log-sum-exp, in one all-reduce: the reduce-scatter and all-gather of
 * vLLM (decode_context_parallel_size, ag_rs), or the all-to-all of Helix and SGLang with a gather of heads behind it.
 */
export class ContextExchange {
  /** Bytes of the latest exchange. */
  bytes = 0;
  private readonly links: LinkTime;
  private readonly cp: number;
  private readonly tp: number;
  private readonly sharded: boolean;
  /** [attention classes] */
  private readonly gathered: readonly (readonly Gathered[])[];
  /** [attention classes] bytes of the partial outputs of one decoded token. */
  private readonly partialBytes: Float64Array;

  constructor(config: PoolConfig, attention: readonly AttentionProgram[], windows: Float64Array, links: LinkTime) {
    const { mapping, model } = config;
    const shards = kvShards(config);
    const full = windows.length - 1;
    this.links = links;
    this.cp = mapping.cp;
    this.tp = mapping.tp;
    this.sharded = shards > 1;
    this.gathered = attention.map(({ caches }) =>
      caches.flatMap((cache) => {
        if (cache.kind === "state") return [];
        const known = cache.kind === "window" ? windows.indexOf(cache.windowTokens) : full;
        return [{ bytesPerToken: cache.bytesPerToken * shards, window: known < 0 ? full : known }];
      }),
    );
    this.partialBytes = Float64Array.from(layerClasses(model).attention, (spec) => {
      if (spec.kind !== "gqa" && spec.kind !== "mla") return 0;
      const [, values] = scoreValues(spec);
      return (values * activationBytes + spec.queryHeads * logSumBytes) / mapping.tp;
    });
  }

  /**
   * Time of one data-parallel rank in a layer of class `mixing`, ns; with `halves` that of one half batch after the other. `batch`
   * is that of the whole rank; `share` as in {@link LinkTime}.
   */
  ns(mixing: number, batch: RankBatch, halves: boolean, share: number): number {
    const parts = halves ? 2 : 1;
    const gathered = this.gatheredBytes(mixing, batch) / parts;
    const merged = this.mergedBytes(mixing, batch) / parts;
    this.bytes = parts * (gathered + merged);
    const ns =
      this.links.collectiveNs("allGather", gathered, this.cp, parts * share, this.tp) +
      this.links.collectiveNs("allReduce", merged, this.cp, parts * share, this.tp);
    return parts * ns;
  }

  private gatheredBytes(mixing: number, batch: RankBatch): number {
    let bytes = 0;
    if (batch.prefillTokens === 0) return bytes;
    for (const { bytesPerToken, window } of this.gathered[mixing]!)
      bytes += bytesPerToken * (this.sharded ? batch.prefillKeys[window]! : batch.prefillTokens);
    return bytes;
  }

  private mergedBytes(mixing: number, batch: RankBatch): number {
    return this.sharded ? batch.decodeTokens * this.partialBytes[mixing]! : 0;
  }
}
