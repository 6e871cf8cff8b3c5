import { InvalidInputError } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { formatBytes, formatDuration } from "../core/units.ts";
import { transferNs } from "../hardware/link-transfer.ts";
import { weightBytes } from "../models/bytes.ts";
import type { ScalingPolicy } from "../policy/scaling/scaling.ts";
import { scalings } from "../policy/scaling/scalings.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { PoolConfig } from "../sim/config.ts";
import { devicesOf } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";

/** Replicas of a pool, and how they come and go. */
export interface ResolvedReplicas {
  readonly config: Pick<PoolConfig, "replicas" | "scaling">;
  readonly ledger: readonly LedgerEntry[];
}

/**
 * From the process to the first request beside the weights: imports, memory profile, compiled kernels, captured graphs. An
 * estimate of their order; a log of the engine says it better.
 */
const engineStartNs = 60e9;

/** The replicas of a scenario: with scaling, as many as may be up at once. */
export function resolveReplicas(
  scenario: Scenario,
  shape: Pick<PoolConfig, "model" | "formats" | "weightBits" | "mapping" | "node">,
): ResolvedReplicas {
  const { scaling } = scenario.policy;
  const stated = scenario.parallel.replicas;
  if (scaling === undefined) return { config: { replicas: stated ?? 1 }, ledger: [] };
  const { kind, min, max, every, startup } = scaling;
  if (stated !== undefined && (stated < min || stated > max))
    throw new InvalidInputError([
      {
        ...scenario.place(["parallel", "replicas"]),
        at: "parallel.replicas",
        expected: `${min} to ${max} replicas at the start, as policy.scaling has it`,
        found: stated,
      },
    ]);
  const policy: ScalingPolicy = scalings[kind];
  const loading = startUpOf(shape, startup);
  const values = parametersIn(policy.parameters, scaling);
  const beyond = policy.stated?.(values).find((count) => count < min || count > max);
  if (beyond !== undefined)
    throw new InvalidInputError([
      {
        ...scenario.place(["policy", "scaling"]),
        at: "policy.scaling",
        expected: `a ${kind} of ${min} to ${max} replicas, as min and max have it`,
        found: beyond,
      },
    ]);
  return {
    config: {
      replicas: max,
      scaling: { policy, values, atStart: stated ?? min, min, everyNs: every, startupNs: loading.ns },
    },
    ledger: [
      {
        topic: "scaling",
        fidelity: "assumed",
        detail: `${kind}, ${min} to ${max} replicas, asked every ${formatDuration(every)}; a new replica serves after ${formatDuration(loading.ns)}: ${loading.how}`,
      },
    ],
  };
}

/**
 * How long a replica takes to serve: `statedNs`, else until its weights have come from the disks of each of its nodes, or over the
 * host link of each device, and its engine has started.
 */
export function startUpOf(
  { model, formats, weightBits, mapping, node }: Parameters<typeof resolveReplicas>[1],
  statedNs?: number,
): { readonly ns: number; readonly how: string } {
  if (statedNs !== undefined) return { ns: statedNs, how: "as the scenario states" };
  const bytes = Object.values(weightBytes(model, { formats, weightBits })).reduce((sum, each) => sum + each, 0);
  const devices = devicesOf(mapping);
  const disk = node.tiers.find(({ kind }) => kind === "nvme");
  const { hostLink } = node.device;
  const onNode = (bytes * Math.min(devices, node.devicesPerNode)) / devices;
  const [ns, from] =
    disk !== undefined
      ? [transferNs(disk.read, onNode), `${formatBytes(onNode)} of weights from ${disk.id}`]
      : hostLink === null
        ? [0, "weights in place"]
        : [transferNs(hostLink, bytes / devices), `${formatBytes(bytes / devices)} of weights over ${hostLink.name}`];
  return {
    ns: Math.round(ns + engineStartNs),
    how: `${from}, and an estimate of ${formatDuration(engineStartNs)} for the engine`,
  };
}
