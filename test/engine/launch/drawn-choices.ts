import fc from "fast-check";
import type { StorageFormat } from "../../../src/core/dtype.ts";
import {
  all2allBackends,
  alltoallMethods,
  deepepModes,
  moeA2aBackends,
} from "../../../src/engine/exchange/exchange-options.ts";
import type { ExpertMap, MapContext } from "../../../src/engine/expert-maps/expert-map.ts";
import type { LaunchChoices } from "../../../src/engine/launch/launch.ts";

const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const degree = fc.constantFrom(1, 1, 2, 3, 4, 8);

/** Degrees that keep the identity tp * cp * dp == ep * etp * edp. */
const mapping: fc.Arbitrary<LaunchChoices["mapping"]> = fc
  .record({
    tp: degree,
    cp: fc.constantFrom(1, 1, 2),
    dp: degree,
    pp: degree,
    etp: degree,
    edp: fc.constantFrom(1, 1, 2),
  })
  .map(({ tp, cp, dp, pp, etp, edp }) => {
    const ranks = tp * cp * dp;
    const slices = ranks % etp === 0 ? etp : 1;
    const copies = (ranks / slices) % edp === 0 && (cp * dp) % edp === 0 ? edp : 1;
    return { tp, cp, dp, pp, etp: slices, edp: copies, ep: ranks / slices / copies };
  });

const devicesOf = ({ tp, cp, dp, pp }: LaunchChoices["mapping"]) => tp * cp * dp * pp;

/** A map of few experts on `ranks`, copies of the first ones behind them. */
function mapOn(ranks: number, redundant: number, turn: number): { map: ExpertMap; context: MapContext } {
  const experts = ranks * 2;
  const slots = experts + redundant * ranks;
  const layers = 2;
  const logicalExperts = Uint16Array.from({ length: layers * slots }, (_, i) => ((i % slots) + turn) % experts);
  return {
    map: { layers, experts, slots, ranks, logicalExperts, notes: [] },
    context: { file: "experts", layers: 3, moeLayers: [1, 2], experts, groups: 1, ranks },
  };
}

const rebalance = fc.oneof(
  fc.record({
    kind: fc.constant("vllm"),
    values: fc.record({
      policy: fc.constantFrom("eplb", "swift"),
      window: fc.integer({ min: 1, max: 9999 }),
      interval: fc.integer({ min: 1, max: 9999 }),
      async: fc.boolean(),
    }),
  }),
  fc.record({
    kind: fc.constant("sglang"),
    values: fc.record({
      policy: fc.constant("eplb"),
      interval: fc.integer({ min: 1, max: 9999 }),
      layersPerChunk: optional(fc.integer({ min: 1, max: 64 })),
      minUtilisation: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
  }),
  fc.record({
    kind: fc.constant("tensorrt-llm"),
    values: fc.record({ policy: fc.constant("eplb"), layerUpdatesPerIter: fc.integer({ min: 1, max: 64 }) }),
  }),
);

/** Whatever a scenario can ask of an engine, whether or not the engine has it. */
export const drawnChoices: fc.Arbitrary<LaunchChoices> = fc
  .record({
    role: fc.constantFrom("both" as const, "prefill" as const, "decode" as const),
    mapping,
    experts: fc.boolean(),
    cpKvCache: fc.constantFrom("sharded" as const, "replicated" as const),
    nodes: fc.constantFrom(1, 1, 2, 4),
    sparesDevices: fc.boolean(),
    maxBatchTokens: fc.integer({ min: 1, max: 1e6 }),
    maxSequences: fc.integer({ min: 1, max: 65536 }),
    chunkedPrefill: fc.boolean(),
    prefixCaching: fc.boolean(),
    memoryUtilisation: fc.double({ min: 1e-9, max: 1, noNaN: true }),
    contextTokens: optional(fc.integer({ min: 1, max: 1e7 })),
    blockTokens: optional(fc.integer({ min: 1, max: 1024 })),
    recvInterval: optional(fc.integer({ min: 1, max: 65536 })),
    frontEnds: optional(fc.integer({ min: 1, max: 1024 })),
    exchange: fc.record(
      {
        all2allBackend: fc.constantFrom(...all2allBackends),
        enableDbo: fc.boolean(),
        dboDecodeTokenThreshold: fc.integer({ min: 1, max: 9999 }),
        dboPrefillTokenThreshold: fc.integer({ min: 1, max: 9999 }),
        moeA2aBackend: fc.constantFrom(...moeA2aBackends),
        deepepMode: fc.constantFrom(...deepepModes),
        deepepNumMaxDispatchTokensPerRank: fc.integer({ min: 1, max: 1024 }),
        enableTwoBatchOverlap: fc.boolean(),
        enableSingleBatchOverlap: fc.boolean(),
        forceAlltoallMethod: fc.constantFrom(...alltoallMethods),
      },
      { requiredKeys: [] },
    ),
    kvCacheFormat: optional(fc.constantFrom("bf16", "fp8", "fp16", "int4", "q8_0", "nvfp4")),
    expertFormat: fc.constantFrom<StorageFormat>("bf16", "fp8_block", "int4", "q4_k", "mxfp4"),
    speculative: optional(
      fc.record({ method: fc.constantFrom("mtp", "eagle", "ngram"), draftTokens: fc.integer({ min: 1, max: 64 }) }),
    ),
    placed: optional(fc.record({ redundant: fc.constantFrom(0, 1), turn: fc.constantFrom(0, 1, 3) })),
    rebalance: optional(rebalance),
    dispatch: optional(fc.constantFrom("round-robin", "random", "static-nearest", "weighted", "lp", "fake")),
    offloadFlags: optional(
      fc.constantFrom(
        ["--n-cpu-moe", "12"],
        ["-ngl", "99", "-ot", "blk\\.[0-4]\\.ffn_.*_exps=CPU", "-ot", "x=CPU"],
        ["--cpu-moe", "--no-mmap"],
        ["--kt-num-gpu-experts", "16", "--kt-expert-placement-strategy", "frequency"],
        ["--threads", "8"],
        [],
      ),
    ),
    hostThreads: optional(fc.integer({ min: 1, max: 4096 })),
    router: optional(fc.constantFrom("least-loaded", "round-robin", "prefix-aware")),
    reservedOutputTokens: optional(fc.oneof(fc.integer({ min: 0, max: 1e7 }), fc.constant("all" as const))),
  })
  .map(({ placed, ...choices }) => ({
    ...choices,
    nodes: devicesOf(choices.mapping) % choices.nodes === 0 ? choices.nodes : 1,
    expertMap: placed === undefined ? undefined : mapOn(choices.mapping.ep, placed.redundant, placed.turn),
  }));
