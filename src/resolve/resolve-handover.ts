import { InvalidInputError, type Problem } from "../core/errors.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { pathText, type ValuePath } from "../scenario/yaml-source.ts";
import type { HandoverConfig } from "../sim/config.ts";
import { handoverProblems } from "../sim/handover/handover-problems.ts";
import { devicesOf } from "../sim/mapping.ts";
import { keepsToNodes, layOutPools, type PoolLayout, sharedDevice, shareNode, together } from "../sim/pool-layout.ts";
import type { PoolScenario } from "./pool-scenarios.ts";
import type { PoolShape } from "./resolve-pool.ts";

/**
 * How the pools of a scenario hand requests over; null where each serves its requests alone. Throws for pools that do
 * not fit together.
 */
export function resolveHandover(
  scenario: Scenario,
  pools: readonly PoolScenario[],
  shapes: readonly PoolShape[],
): HandoverConfig | null {
  const problems: Problem[] = [];
  const say = (path: ValuePath, expected: string, found: unknown) =>
    problems.push({ ...scenario.place(path), at: pathText(path), expected, found });
  checkNames(pools, say);
  checkModels(pools, shapes, say);
  checkDevices(pools, shapes, say);
  const of = (role: string) => [...pools.keys()].filter((i) => pools[i]!.identity.role === role);
  const [prefills, decodes] = [of("prefill"), of("decode")];
  if (prefills.length > 0 && decodes.length === 0)
    say(["pools", prefills[0]!, "role"], "both, or a pool with role decode beside it", "prefill");
  if (decodes.length > 0 && prefills.length === 0)
    say(["pools", decodes[0]!, "role"], "both, or a pool with role prefill beside it", "decode");
  const handsOver = prefills.length > 0 && decodes.length > 0;
  if (scenario.handover !== undefined && !handsOver)
    say(
      ["handover"],
      "nothing: no pools with the roles prefill and decode",
      scenario.pools === undefined ? "no pools" : "pools without",
    );
  if (problems.length > 0) throw new InvalidInputError(problems);
  if (!handsOver) return null;

  for (const p of prefills)
    for (const d of decodes) {
      const placed = (i: number) => ({ at: pools[i]!.at, config: shapes[i]!.config });
      for (const problem of handoverProblems(placed(p), placed(d), allTogether(shapes, p, d))) {
        const pool = pools.find(({ at }) => problem.at?.startsWith(`${at}.`))!;
        problems.push({ ...pool.scenario.place(problem.at!.slice(pool.at.length + 1).split(".")), ...problem });
      }
    }
  if (problems.length > 0) throw new InvalidInputError(problems);

  const stated = scenario.handover;
  const engines = [...prefills, ...decodes].map((i) => shapes[i]!.config.engine);
  const ways = engines[0]!.handover!;
  const keys = (["reserves", "transfer", "firstToken", "reservedOutputTokens"] as const).filter(
    (key) => stated?.[key] === undefined,
  );
  for (const i of [...prefills, ...decodes]) {
    const { id, handover } = shapes[i]!.config.engine;
    const differs = keys.filter((key) => handover![key] !== ways[key]);
    if (differs.length > 0)
      say(
        ["pools", i, "engine"],
        `an engine that hands over as ${engines[0]!.id} does, or handover.${differs.join(", handover.")} stated`,
        id,
      );
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  const config: HandoverConfig = {
    reserves: stated?.reserves ?? ways.reserves,
    transfer: stated?.transfer ?? ways.transfer,
    firstToken: stated?.firstToken ?? ways.firstToken,
    reservedOutputTokens: stated?.reservedOutputTokens ?? ways.reservedOutputTokens,
    tokenisesAgain: ways.tokenisesAgain,
    localPromptTokens: stated?.localPromptTokens ?? 0,
    router: scenario.policies.routers[stated?.router ?? scenario.policy.router]!,
  };
  if (config.transfer !== "request" && config.reserves === "afterPrefill") {
    if (stated?.transfer !== undefined)
      say(
        ["handover", "transfer"],
        "request where room is set aside after the prefill: before that there is nowhere to send to",
        config.transfer,
      );
    else
      say(
        ["handover", "reserves"],
        `beforePrefill, or handover.transfer request: before there is room there is nowhere to send ${config.transfer} to`,
        config.reserves,
      );
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return config;
}

type Say = (path: ValuePath, expected: string, found: unknown) => void;

/** Reports and messages tell pools by their names. */
export function checkNames(pools: readonly PoolScenario[], say: Say): void {
  const seen = new Set<string>();
  for (const [i, { identity }] of pools.entries()) {
    const { name } = identity;
    if (name === undefined) continue;
    if (seen.has(name)) say(["pools", i, "name"], "a name that no other pool has", name);
    seen.add(name);
  }
}

function checkModels(pools: readonly PoolScenario[], shapes: readonly PoolShape[], say: Say): void {
  const [first] = shapes;
  for (const [i, { config }] of shapes.entries())
    if (config.model.id !== first!.config.model.id)
      say(
        ["pools", i, "model"],
        `${first!.config.model.id}, as in ${pools[0]!.at}: a request may go to any pool (modelCache: models by class)`,
        config.model.id,
      );
}

function checkDevices(pools: readonly PoolScenario[], shapes: readonly PoolShape[], say: Say): void {
  const layouts = layOutPools(shapes.map(({ config }) => config));
  const shared = sharedDevice(layouts);
  if (shared !== null) {
    const { pool, other, device } = shared;
    say(
      ["pools", pool, "firstDevice"],
      `a device after those of ${nameOf(pools, other)}: device ${device} is in both`,
      shapes[pool]!.config.firstDevice,
    );
    return;
  }
  for (const [i, { config }] of shapes.entries()) {
    const { devicesPerNode } = config.node;
    const devices = devicesOf(config.mapping);
    if (!keepsToNodes(layouts[i]!, config.node))
      say(
        ["pools", i, "firstDevice"],
        devices > devicesPerNode
          ? `the first device of a node of ${devicesPerNode} for a replica of ${devices} devices`
          : `a device from which each replica of ${devices} devices lies in one node of ${devicesPerNode}`,
        config.firstDevice,
      );
  }
  checkCaches(pools, shapes, layouts, say);
}

/** Host memory and disks are those of a pool: two that cache experts out of them cannot have the same. */
function checkCaches(
  pools: readonly PoolScenario[],
  shapes: readonly PoolShape[],
  layouts: readonly PoolLayout[],
  say: Say,
): void {
  const caching = [...pools.keys()].filter((i) => pools[i]!.scenario.policy.offload !== undefined);
  for (const [at, i] of caching.entries()) {
    const { config } = shapes[i]!;
    const other = caching.slice(0, at).find((j) => shareNode(layouts[i]!, layouts[j]!, config.node));
    if (other !== undefined)
      say(
        ["pools", i, "firstDevice"],
        `a node without the expert cache of ${nameOf(pools, other)}: its memory and disks are not shared between pools`,
        config.firstDevice,
      );
  }
}

const nameOf = (pools: readonly PoolScenario[], pool: number): string =>
  pools[pool]!.identity.name ?? "the pool before";

/** Whether every replica of one pool lies in one node, or one scale-up domain, with every replica of the other. */
function allTogether(shapes: readonly PoolShape[], prefill: number, decode: number): boolean {
  const layouts = layOutPools(shapes.map(({ config }) => config));
  const [from, to] = [shapes[prefill]!.config, shapes[decode]!.config];
  for (let a = 0; a < from.replicas; a++)
    for (let b = 0; b < to.replicas; b++)
      if (!together(layouts[prefill]!, a, layouts[decode]!, b, from.node)) return false;
  return true;
}
