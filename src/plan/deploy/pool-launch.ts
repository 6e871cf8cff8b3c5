import { InvalidInputError } from "../../core/errors.ts";
import { parametersIn } from "../../core/parameters.ts";
import type { ExchangeOptions } from "../../engine/exchange/exchange-options.ts";
import type { Launch, LaunchChoices, Launcher, Refusal } from "../../engine/launch/launch.ts";
import { splitWords } from "../../engine/offload-flags/words.ts";
import { flagsOf } from "../../offload/flags/flags-of.ts";
import type { RebalancePolicy } from "../../policy/rebalance/rebalance.ts";
import { rebalances } from "../../policy/rebalance/rebalances.ts";
import { mapContext, mapOfPlacement } from "../../resolve/expert-map-file.ts";
import { exchangeKeys } from "../../scenario/exchange-options.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { type PoolConfig, poolsOf, type SimConfig } from "../../sim/config.ts";
import { devicesOf, moeShape } from "../../sim/mapping.ts";
import { statedRefusals, statesIn } from "./stated-refusals.ts";

/** A pool of a scenario as it is to be started. */
export interface PoolLaunch extends Launch {
  /** Nodes of a replica. */
  readonly nodes: number;
  /** Its devices on each of them. */
  readonly devices: number;
}

/** How the line of pool `index` is written, with all that it cannot say. `pool` is its part of the scenario. */
export function launchPool(
  scenario: Scenario,
  pool: Scenario,
  config: SimConfig,
  index: number,
  launcher: Launcher,
): PoolLaunch {
  const of = poolsOf(config)[index]!;
  const refused: Refusal[] = statedRefusals(scenario, index, of.engine.id, of.engine.name);
  const devices = devicesOf(of.mapping);
  const { devicesPerNode } = of.node;
  const nodes = Math.ceil(devices / devicesPerNode);
  if (devices % nodes !== 0)
    refused.push({
      choice: "parallel",
      reason: `${devices} devices of a replica are not divided evenly over ${nodes} nodes of ${devicesPerNode}`,
    });
  const stated = (path: string): boolean => statesIn(scenario, index, path);
  refused.push(...handoverRefusals(scenario, of, stated));
  if (of.replicas > 1 && stated("policy.router"))
    refused.push({
      choice: "policy.router",
      reason: "a Kubernetes Service spreads connections over replicas without looking: put a router in front",
    });
  const attempt = <T>(choice: string, make: () => T): T | undefined => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      refused.push({
        choice,
        reason: error.problems.map(({ expected, found }) => `expected ${expected}, found ${String(found)}`).join("; "),
      });
      return undefined;
    }
  };
  const choices: LaunchChoices = {
    ...layoutOf(of, nodes),
    ...schedulingOf(pool, of, stated),
    kvCacheFormat: of.kvFormat === of.model.kvFormat ? undefined : of.kvFormat,
    expertFormat: of.formats.experts,
    expertMap: stated("policy.placement") ? attempt("policy.placement", () => mapOf(of)) : undefined,
    rebalance: rebalanceOf(pool),
    dispatch: pool.policy.placement?.dispatch?.kind,
    offloadFlags:
      pool.policy.offload === undefined || !launcher.expresses.includes("policy.offload")
        ? undefined
        : attempt("policy.offload", () => offloadOf(pool, config, index)),
  };
  const launch = launcher.write(choices, of.engine.id);
  return { ...launch, nodes, devices: devices / nodes, refused: distinct([...refused, ...launch.refused]) };
}

function layoutOf(of: PoolConfig, nodes: number) {
  const role = of.role === "prefill" || of.role === "decode" ? of.role : "both";
  return {
    role,
    mapping: of.mapping,
    experts: moeShape(of.model) !== null,
    cpKvCache: of.cpKvCache ?? "sharded",
    nodes,
    sparesDevices: devicesOf(of.mapping) < of.node.devicesPerNode,
  } as const;
}

/** What schedulers are told. What the scenario leaves to the engine is left to it, but for what the forecast depends on. */
function schedulingOf(
  { engine, hardware, policy, handover }: Scenario,
  of: PoolConfig,
  stated: (path: string) => boolean,
) {
  const { scheduler } = of;
  const exchange: ExchangeOptions = Object.fromEntries(
    exchangeKeys.flatMap((key) => (engine[key] === undefined ? [] : [[key, engine[key]]])),
  );
  return {
    maxBatchTokens: scheduler.maxBatchTokens,
    maxSequences: scheduler.maxSequences,
    chunkedPrefill: scheduler.chunkedPrefill,
    prefixCaching: scheduler.prefixCaching,
    memoryUtilisation: scheduler.memoryUtilisation,
    contextTokens: engine.maxModelLen,
    blockTokens: engine.blockSize,
    recvInterval: engine.schedulerRecvInterval,
    frontEnds: engine.apiServerCount,
    exchange,
    speculative:
      engine.speculative === undefined
        ? undefined
        : { method: engine.speculative.method, draftTokens: engine.speculative.draftTokens },
    hostThreads: hardware.host?.threads,
    router: stated("policy.router") ? policy.router : undefined,
    reservedOutputTokens: handover?.reservedOutputTokens,
  };
}

/** The map of the experts that the scenario places; undefined where every expert is where engines put it anyway. */
function mapOf({ model, mapping, placement }: PoolConfig): LaunchChoices["expertMap"] {
  const moe = moeShape(model);
  if (moe === null || placement === null) return undefined;
  return {
    map: mapOfPlacement(placement, model),
    context: mapContext(model, moe, "experts", mapping.ep),
  };
}

function rebalanceOf({ policy }: Scenario): LaunchChoices["rebalance"] {
  const section = policy.placement?.rebalance;
  if (section === undefined) return undefined;
  const { parameters }: RebalancePolicy = rebalances[section.kind];
  return { kind: section.kind, values: parametersIn(parameters, section) };
}

/** Flags as the scenario states them, else those that give the engine the fixed set of experts. */
function offloadOf({ policy }: Scenario, config: SimConfig, index: number): readonly string[] {
  const flags = policy.offload?.flags;
  return flags === undefined ? flagsOf({ ...config, ...poolsOf(config)[index]! }) : splitWords(flags);
}

/** What of a hand-over the scenario states otherwise than the engine does it. */
function handoverRefusals(
  { handover }: Scenario,
  { engine, role }: PoolConfig,
  stated: (path: string) => boolean,
): Refusal[] {
  if (role !== "prefill" && role !== "decode") return [];
  return (["reserves", "transfer", "firstToken"] as const).flatMap((key) =>
    stated(`handover.${key}`) && handover?.[key] !== engine.handover?.[key]
      ? [
          {
            choice: `handover.${key}`,
            reason: `${engine.name} hands over with ${key} ${engine.handover?.[key] ?? "none"} and has no option for another way`,
          },
        ]
      : [],
  );
}

/** The first refusal of every choice. */
const distinct = (refusals: readonly Refusal[]): Refusal[] =>
  [...new Map([...refusals].reverse().map((refusal) => [refusal.choice, refusal])).values()].reverse();
