import { InvalidInputError, type Problem } from "../core/errors.ts";
import { pow } from "../core/pow.ts";
import { RandomStream } from "../core/random.ts";
import { closest } from "../core/suggest.ts";
import { formatBytes } from "../core/units.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { pathText, type ValuePath } from "../scenario/yaml-source.ts";
import type { ModelCacheConfig } from "../sim/config.ts";
import { devicesOf, moeShape } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { RequestTable } from "../trace/request-table.ts";
import type { PoolScenario } from "./pool-scenarios.ts";
import { checkNames } from "./resolve-handover.ts";
import type { PoolShape } from "./resolve-pool.ts";

/** Models that take turns on the same devices. */
export interface ResolvedModelCache {
  readonly config: ModelCacheConfig;
  /** The pools, as models that share their devices. */
  readonly shapes: readonly PoolShape[];
  readonly ledger: readonly LedgerEntry[];
}

/** Models in all: more of them make a run slow and large, and change nothing that fewer would not show. */
const modelsMax = 4096;

type Say = (path: ValuePath, expected: string, found: unknown, hint?: string) => void;

/**
 * The models of a scenario that take turns, and which one serves each request; null where each pool has devices of its own.
 * Throws for pools that cannot take turns, and classes that no model or more than one serves.
 */
export function resolveModelCache(
  scenario: Scenario,
  pools: readonly PoolScenario[],
  shapes: readonly PoolShape[],
  requests: RequestTable,
): ResolvedModelCache | null {
  const problems: Problem[] = [];
  const say: Say = (path, expected, found, hint) =>
    problems.push({
      ...scenario.place(path),
      at: pathText(path),
      expected,
      found,
      ...(hint === undefined ? {} : { hint }),
    });
  const section = scenario.modelCache;
  if (section === undefined) {
    refuseWithout(scenario, pools, say);
    if (problems.length > 0) throw new InvalidInputError(problems);
    return null;
  }
  if (scenario.pools === undefined) say(["modelCache"], "pools beside it, one for each kind of model", "no pools");
  else {
    checkNames(pools, say);
    if (scenario.handover !== undefined)
      say(["handover"], "nothing beside modelCache", Object.keys(scenario.handover).join(", "));
    checkRoles(pools, say);
    for (const i of pools.keys()) checkPool(i, scenario, pools, shapes, say);
    checkRouting(scenario, shapes, say);
  }
  const { device } = shapes[0]!.config.node;
  const share = Math.min(...shapes.map(({ config }) => config.scheduler.memoryUtilisation));
  const deviceBytes = section.memory ?? Math.floor(device.memoryBytes * share);
  if (deviceBytes > device.memoryBytes)
    say(
      ["modelCache", "memory"],
      `at most the ${formatBytes(device.memoryBytes)} of ${device.name}`,
      formatBytes(deviceBytes),
    );
  const names = pools.map(({ identity }) => identity.name ?? "");
  const keep = section.keep.map((name, i) => {
    const at = names.indexOf(name);
    if (at < 0) say(["modelCache", "keep", i], `a pool: ${names.join(", ")}`, name, nearest(name, names));
    if (section.keep.indexOf(name) < i) say(["modelCache", "keep", i], "each pool once", name);
    return at;
  });
  const models = pools.reduce((sum, { serving }) => sum + serving.variants, 0);
  if (models > modelsMax) say(["pools"], `at most ${modelsMax} models in all, variants included`, models);
  const poolOfClass = requests.classes.map((name) => poolServing(name, pools));
  checkClasses(pools, requests, poolOfClass, say);
  if (problems.length > 0) throw new InvalidInputError(problems);
  const first: number[] = [];
  let before = 0;
  for (const { serving } of pools) {
    first.push(before);
    before += serving.variants;
  }
  return {
    config: {
      deviceBytes,
      loadOverheadNs: section.loadOverhead,
      keep,
      servedBy: choices(scenario.seed, pools, requests, poolOfClass, first),
    },
    shapes: shapes.map((shape, i) => ({
      ...shape,
      config: { ...shape.config, replicas: pools[i]!.serving.variants, kvBytes: section.kvMemory, firstDevice: 0 },
    })),
    ledger: [entry(models)],
  };
}

const entry = (models: number): LedgerEntry => ({
  topic: "models in turn",
  fidelity: "emulated",
  detail:
    `${models} models share the devices: those in device memory take turns step by step; for one that is not there, idle ones leave, ` +
    "the one whose last step is longest ago first, then one at work, which first finishes what it has begun; weights are loaded " +
    "out of pinned memory or straight from disks while other models compute, one model at a time",
});

/** Keys that mean something only where models take turns. */
function refuseWithout(scenario: Scenario, pools: readonly PoolScenario[], say: Say): void {
  for (const [i, { identity, serving }] of pools.entries()) {
    if (identity.role === "router") say(["pools", i, "role"], "both, or modelCache beside the pools", "router");
    for (const key of ["serves", "variants", "popularity"] as const)
      if (scenario.states(["pools", i, key]))
        say(["pools", i, key], "nothing, or modelCache beside the pools", serving[key]);
  }
}

function checkRoles(pools: readonly PoolScenario[], say: Say): void {
  const routers = [...pools.keys()].filter((i) => pools[i]!.identity.role === "router");
  for (const [i, { identity, serving }] of pools.entries()) {
    if (identity.role === "prefill" || identity.role === "decode")
      say(["pools", i, "role"], "both or router: models that take turns serve their requests alone", identity.role);
    if (identity.role !== "router") continue;
    if (i !== routers[0]) say(["pools", i, "role"], "both: one pool chooses the models", "router");
    if (serving.serves !== undefined) say(["pools", i, "serves"], "nothing: it reads every prompt", serving.serves);
    if (serving.variants > 1) say(["pools", i, "variants"], "1: one model chooses", serving.variants);
  }
  if (routers.length > 0 && routers.length === pools.length)
    say(["pools", 0, "role"], "both, or a pool with role both beside it", "router");
}

/** What of a pool cannot be shared. */
function checkPool(
  i: number,
  scenario: Scenario,
  pools: readonly PoolScenario[],
  shapes: readonly PoolShape[],
  say: Say,
): void {
  const { config } = shapes[i]!;
  const own = pools[i]!.scenario;
  const [first] = shapes;
  const devices = devicesOf(config.mapping);
  // A section that several pools inherit is complained of once.
  const sayOf = (section: "policy" | "parallel", key: string, expected: string, found: unknown) => {
    const inherits = own[section] === scenario[section];
    if (!inherits) say(["pools", i, section, key], expected, found);
    else if (pools.findIndex((each) => each.scenario[section] === scenario[section]) === i)
      say([section, key], expected, found);
  };
  if (pools[i]!.identity.firstDevice !== undefined)
    say(["pools", i, "firstDevice"], "nothing: models that take turns have the same devices", config.firstDevice);
  if (config.scaling !== undefined) sayOf("policy", "scaling", "nothing beside modelCache", "scaling");
  else if (config.replicas > 1)
    sayOf("parallel", "replicas", "1 beside modelCache: several sets of devices are not modelled", config.replicas);
  if (config.mapping.pp > 1)
    sayOf(
      "parallel",
      "pp",
      "1 beside modelCache: stages of models that take turns are not modelled",
      config.mapping.pp,
    );
  if (own.policy.placement?.rebalance !== undefined)
    sayOf(
      "policy",
      "placement",
      "no rebalance beside modelCache: experts are loaded with their models",
      own.policy.placement.rebalance.kind,
    );
  if (own.policy.offload !== undefined)
    sayOf(
      "policy",
      "offload",
      "nothing beside modelCache: experts are loaded with their models",
      own.policy.offload.kind,
    );
  if (devices > config.node.devicesPerNode)
    sayOf("parallel", "tp", `at most the ${config.node.devicesPerNode} devices of a node beside modelCache`, devices);
  const hardware = (shape: PoolShape) => `${shape.config.node.devicesPerNode} x ${shape.config.node.device.id}`;
  if (hardware(shapes[i]!) !== hardware(first!))
    say(
      ["pools", i, "hardware"],
      `${hardware(first!)}, as in ${pools[0]!.at}: the devices are the same`,
      hardware(shapes[i]!),
    );
  else
    for (const section of ["hardware", "cost"] as const)
      if (JSON.stringify(own[section]) !== JSON.stringify(pools[0]!.scenario[section]))
        say(
          ["pools", i, section],
          `that of ${pools[0]!.at}: the devices are the same`,
          Object.keys(own[section] ?? {}).join(", "),
        );
  if (devices !== devicesOf(first!.config.mapping))
    say(["pools", i, "parallel"], `${devicesOf(first!.config.mapping)} devices, as in ${pools[0]!.at}`, devices);
}

/** Recorded choices are those of one kind of experts. */
function checkRouting({ routing }: Scenario, shapes: readonly PoolShape[], say: Say): void {
  if (routing.kind === "uniform") return;
  const kinds = shapes.map(({ config }) => moeShape(config.model));
  const first = kinds.find((moe) => moe !== null);
  for (const [i, moe] of kinds.entries())
    if (moe !== null && (moe.experts !== first!.experts || moe.topK !== first!.topK))
      say(
        ["pools", i, "model"],
        `${first!.experts} experts, ${first!.topK} a token, as the routing has them, or routing.kind uniform`,
        `${moe.experts} experts, ${moe.topK} a token`,
      );
}

/** The pools whose models serve a class. */
function poolServing(name: string, pools: readonly PoolScenario[]): number[] {
  const serving = [...pools.keys()].filter((i) => pools[i]!.identity.role !== "router");
  return serving.filter((i) => {
    const { serves } = pools[i]!.serving;
    return serves === undefined ? serving.length === 1 : serves.includes(name);
  });
}

function checkClasses(
  pools: readonly PoolScenario[],
  { classes }: RequestTable,
  poolOfClass: readonly (readonly number[])[],
  say: Say,
): void {
  for (const [i, { serving, identity }] of pools.entries()) {
    const others = pools.filter(({ identity: other }) => other.role !== "router").length;
    if (identity.role !== "router" && serving.serves === undefined && others > 1)
      say(
        ["pools", i, "serves"],
        `classes of requests, as there are several models: ${classes.join(", ") || "they have none"}`,
        undefined,
      );
    for (const [at, name] of (serving.serves ?? []).entries())
      if (!classes.includes(name))
        say(
          ["pools", i, "serves", at],
          `a class of the requests: ${classes.join(", ") || "they have none"}`,
          name,
          nearest(name, classes),
        );
  }
  for (const [i, served] of poolOfClass.entries())
    if (served.length !== 1 && pools.some(({ serving }) => serving.serves !== undefined))
      say(
        ["pools"],
        `one pool that serves class ${classes[i]}`,
        served.length === 0 ? "none" : served.map((pool) => pools[pool]!.identity.name).join(", "),
      );
}

/** [requests] the model of each: that of the pool that serves its class; of several variants one drawn by popularity. */
function choices(
  seed: number,
  pools: readonly PoolScenario[],
  { count, classOf }: RequestTable,
  poolOfClass: readonly (readonly number[])[],
  first: readonly number[],
): Uint16Array {
  const stream = new RandomStream(seed, "models");
  const upTo = pools.map(({ serving: { variants, popularity } }) => {
    let sum = 0;
    return Array.from({ length: variants }, (_, rank) => (sum += pow(rank + 1, -popularity)));
  });
  return Uint16Array.from({ length: count }, (_, request) => {
    const [pool] = poolOfClass[classOf[request]!]!;
    const sums = upTo[pool!]!;
    return first[pool!]! + firstAbove(sums, stream.at(request) * sums.at(-1)!);
  });
}

/** Position of the first of ascending sums that is above a value; the last one where none is. */
function firstAbove(sums: readonly number[], value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

const nearest = (name: string, names: readonly string[]): string | undefined => {
  const near = closest(name, names);
  return near === null ? undefined : `did you mean ${near}?`;
};
