import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import type { ModelSpec } from "../../../src/models/spec.ts";
import { type PoolConfig, poolsOf } from "../../../src/sim/config.ts";
import { kvShards, mappingProblems, sharersOf } from "../../../src/sim/mapping.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { drawn } from "../../drawn.ts";
import { deployment, deploymentConfig } from "../random-deployment.ts";
import { watched } from "../random-laws.ts";

type Attention = ModelSpec["layers"][number]["attention"];

/** Bytes of a layer on one tensor-parallel rank for a prompt, in 16 bits a value, from its shapes alone. */
function layerBytes(attention: Attention, tokens: number, { mapping, engine }: PoolConfig): number {
  const { tp } = mapping;
  if (attention.kind === "none") return 0;
  if (attention.kind === "linear") return (2 * attention.stateValues) / tp;
  if (attention.kind === "mla") return 2 * (attention.kvLoraRank + attention.ropeHeadDim) * tokens;
  const perToken = 2 * 2 * Math.max(1, attention.kvHeads / tp) * attention.headDim;
  const { windowTokens, chunked } = attention;
  const whole = engine.caches[chunked === true ? "chunks" : "windows"] === "full";
  // The next token sees the newest ones, and itself.
  return perToken * (windowTokens === null || whole ? tokens : Math.min(tokens, windowTokens - 1));
}

/** Bytes of a prompt on a device of each pipeline stage. */
function stageBytes(pool: PoolConfig, tokens: number): number[] {
  const { model, mapping } = pool;
  // Visits of the experts of a layer lie with it.
  const own = model.layers.filter(({ revisit }) => revisit === undefined);
  const bytes = Array.from({ length: mapping.pp }, () => 0);
  let stage = 0;
  let begun = 0;
  for (const { attention } of own) {
    const size = Math.floor(own.length / mapping.pp) + (stage < own.length % mapping.pp ? 1 : 0);
    bytes[stage]! += layerBytes(attention, tokens, pool) / kvShards(pool);
    if (++begun === size) {
      stage++;
      begun = 0;
    }
  }
  return bytes;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test("what is handed over of each prompt is what the devices of the receiver keep of it, by the shapes of the model", () => {
  let prompts = 0;
  const kinds = new Set<string>();
  fc.assert(
    fc.property(deployment, (drawn) => {
      const roles = drawn.roles.length > 2 ? drawn.roles : (["prefill", "decode"] as const);
      const config = deploymentConfig({
        ...drawn,
        roles,
        first: { ...drawn.first, drafts: null },
        others: drawn.others.map((other) => ({ ...other, drafts: null })) as unknown as typeof drawn.others,
      });
      const pools = poolsOf(config);
      const divides = (a: number, b: number) => a % b === 0 || b % a === 0;
      const tps = pools.map(({ mapping }) => mapping.tp);
      fc.pre(pools.every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      fc.pre(config.handover !== undefined && tps.every((a) => tps.every((b) => divides(a, b))));
      try {
        watched(() => {
          const simulation = new Simulation(config);
          while (!simulation.advance(1000));
          const { requests, handover } = simulation.result();
          const replicas = pools.flatMap((pool) => Array.from({ length: pool.replicas }, () => pool));
          let all = 0;
          let busiest = 0;
          for (let i = 0; i < requests.count; i++) {
            if (Number.isNaN(handover!.arrivedNs[i]!)) continue;
            const receiver = replicas[requests.replicaOf[i]!]!;
            expect(receiver.role).toBe("decode");
            const stages = stageBytes(receiver, requests.promptTokens[i]!);
            all += sharersOf(receiver.mapping) * sum(stages);
            busiest += Math.max(...stages);
            prompts++;
          }
          for (const { attention } of config.model.layers) kinds.add(attention.kind);
          expect(handover!.bytes).toBeCloseTo(all, 2);
          expect(sum(simulation.handover!.receiving.map(({ bytes }) => bytes))).toBeCloseTo(busiest, 2);
          const [first] = pools;
          // From each device to its like: as much is sent as received.
          const like = ({ mapping: { tp, cp, pp } }: PoolConfig) => {
            const own = first!.mapping;
            return tp === own.tp && cp === own.cp && pp === own.pp;
          };
          if (pools.every((pool) => like(pool) && kvShards(pool) === pool.mapping.cp))
            expect(sum(simulation.handover!.sending.map(({ bytes }) => bytes))).toBeCloseTo(busiest, 2);
        });
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
        fc.pre(false);
      }
    }),
    { numRuns: drawn(15), seed: 7, maxSkipsPerRun: 1000 },
  );
  expect(prompts).toBeGreaterThan(drawn(200));
  expect([...kinds].sort()).toEqual(["gqa", "linear", "mla", "none"]);
});

test("a decode rank gives room first to who asked first", () => {
  let waited = 0;
  fc.assert(
    fc.property(deployment, (drawn) => {
      const { first, alike } = drawn;
      // Few sequences at a time, on one data-parallel rank.
      const mapping = { ...first.mapping, dp: 1, ep: 1, etp: 1, tp: 1, cp: 1, edp: 1 } as typeof first.mapping;
      const crowded = { ...first, n: 30, gap: 0 as const, mapping };
      const config = deploymentConfig({ ...drawn, alike: true, roles: ["prefill", "decode"], first: crowded });
      const decode = config.otherPools!.map((pool) => ({
        ...pool,
        scheduler: { ...pool.scheduler, maxSequences: alike ? 1 : 2 },
      }));
      fc.pre(mappingProblems(config.mapping, config.model).length === 0);
      try {
        watched(() => {
          const simulation = new Simulation({ ...config, otherPools: decode });
          while (!simulation.advance(1000));
          const { handover, requests } = simulation.result();
          const { askedNs, reservedNs, arrivedNs } = handover!;
          const moved = [...arrivedNs.keys()].filter((i) => !Number.isNaN(arrivedNs[i]!));
          for (const a of moved)
            for (const b of moved) {
              if (requests.replicaOf[a] !== requests.replicaOf[b] || askedNs[a]! >= askedNs[b]!) continue;
              expect(reservedNs[a]).toBeLessThanOrEqual(reservedNs[b]!);
            }
          waited += moved.filter((i) => reservedNs[i]! > askedNs[i]!).length;
        });
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
        fc.pre(false);
      }
    }),
    { numRuns: drawn(12), seed: 9, maxSkipsPerRun: 1000 },
  );
  expect(waited).toBeGreaterThan(50);
});
