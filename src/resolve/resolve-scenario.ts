import { basename } from "node:path";
import { sha256 } from "../core/digest.ts";
import { InfeasibleError, InvalidInputError, type Problem } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { inFileOrder, type Scenario } from "../scenario/parse-scenario.ts";
import { printTarget } from "../scenario/slo-expression.ts";
import type { Workload } from "../sim/config.ts";
import { moeShape } from "../sim/mapping.ts";
import { pooledLedger } from "../sim/outcome/pooled-ledger.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { RequestTable } from "../trace/request-table.ts";
import { coldStartLedger, warmupRequests } from "./cold-start.ts";
import type { Surroundings } from "./file-reader.ts";
import type { InputRow } from "./input-row.ts";
import { pluginLedger, usedPlugins } from "./plugin-ledger.ts";
import { inPool, ofPool, poolScenarios } from "./pool-scenarios.ts";
import { resolveHandover } from "./resolve-handover.ts";
import { resolveModelCache } from "./resolve-model-cache.ts";
import { type PoolShape, type ResolvedPool, resolvePool, resolvePoolShape } from "./resolve-pool.ts";
import { requestLedger, resolveWorkload } from "./resolve-requests.ts";
import { checkDomains, type ResolvedRouting, resolveRouting } from "./resolve-routing.ts";
import type { ResolvedScenario } from "./resolved.ts";

/**
 * Turns every name of a scenario into values: model, hardware, engine, requests, routing, policies. Throws
 * InvalidInputError, with the place in the scenario, for names that do not exist and values that do not fit together, and
 * InfeasibleError for what an engine refuses to start.
 * `measured` replaces the scenario's own traffic, `replayed` its routing. An aborted `signal` ends with its reason.
 */
export async function resolveScenario(
  scenario: Scenario,
  reader: Surroundings,
  measured: Workload | null = null,
  signal?: AbortSignal,
  replayed?: ResolvedRouting | undefined,
): Promise<ResolvedScenario> {
  const pools = poolScenarios(scenario);
  const shapes: PoolShape[] = [];
  for (const pool of pools) shapes.push(await inPool(pool, scenario, () => resolvePoolShape(pool, reader)));
  const refusals = shapes.flatMap((shape, i) => shape.refusals.map((one) => ofPool(one, pools[i]!, scenario)));
  if (refusals.length > 0) throw new InfeasibleError(inFileOrder(refusals));
  const workload = measured ?? (await resolveWorkload(scenario));
  checkClasses(scenario, workload.requests);
  // The routing is of the first model that has experts.
  const { model } = (shapes.find(({ config }) => moeShape(config.model) !== null) ?? shapes[0]!).config;
  const routed =
    replayed ?? (await resolveRouting(scenario, model, moeShape(model), workload.requests, reader, signal));
  checkDomains(scenario, workload.requests, routed.routing);
  const handover = scenario.modelCache === undefined ? resolveHandover(scenario, pools, shapes) : null;
  const modelCache = resolveModelCache(scenario, pools, shapes, workload.requests);
  const resolved: ResolvedPool[] = [];
  for (const [i, pool] of pools.entries())
    resolved.push(await inPool(pool, scenario, () => resolvePool(modelCache?.shapes[i] ?? shapes[i]!, routed, reader)));
  const [first, ...others] = resolved;
  const named = (parts: readonly { readonly ledger: readonly LedgerEntry[] }[]) =>
    pooledLedger(parts.map(({ ledger }, i) => ({ name: pools[i]!.identity.name, ledger })));
  return {
    config: {
      ...first!.config,
      seed: scenario.seed,
      workload,
      warmupRequests: warmupRequests(scenario, workload.requests.count),
      ...(scenario.policies.bounded === undefined ? {} : { bounded: scenario.policies.bounded }),
      ...(others.length === 0 ? {} : { otherPools: others.map(({ config }) => config) }),
      ...(handover === null ? {} : { handover }),
      ...(modelCache === null ? {} : { modelCache: modelCache.config }),
    },
    routed,
    price: first!.price,
    placement: first!.placement,
    offload: first!.offload,
    ...(others.length === 0 ? {} : { otherPools: others }),
    inputs: [
      ...scenarioInputs(scenario),
      ...usedPlugins(scenario).map(({ plugin, file, sha256: digest }) => ({
        role: "plugin",
        name: file ?? plugin,
        sha256: digest,
      })),
      ...distinctInputs([...shapes, routed, ...resolved].flatMap(({ inputs }) => inputs)),
      ...traceInputs(workload.requests, routed.source?.whole.origin ?? null),
    ],
    ledger: [
      ...named(shapes),
      ...requestLedger(workload),
      ...coldStartLedger(scenario),
      ...pluginLedger(scenario),
      ...(modelCache?.ledger ?? []),
      ...routed.ledger,
      ...named(resolved),
    ],
  };
}

/** Inputs that several pools name, once. */
function distinctInputs(inputs: readonly InputRow[]): InputRow[] {
  const key = ({ role, name, sha256: digest }: InputRow) => [role, name, digest].join("\0");
  return [...new Map(inputs.map((input) => [key(input), input])).values()];
}

/** The scenario and what was laid over it: settings and parameters change the result as the file's text does. */
function scenarioInputs(scenario: Scenario): readonly InputRow[] {
  return [
    { role: "scenario", name: basename(scenario.file), sha256: scenario.sha256 },
    ...scenario.overrides.map((text) => ({ role: "override", name: text, sha256: sha256(text) })),
  ];
}

/** Refuses SLOs of classes that no request has. */
function checkClasses(scenario: Scenario, requests: RequestTable): void {
  const problems: Problem[] = (scenario.slo?.thresholds ?? []).flatMap(({ target }) => {
    const { requestClass } = target;
    if (requestClass === null || requests.classes.includes(requestClass)) return [];
    const near = closest(requestClass, requests.classes);
    return [
      {
        ...scenario.place(["slo", printTarget(target)]),
        at: `slo.${printTarget(target)}`,
        expected: `a class of the requests: ${requests.classes.join(", ") || "they have none"}`,
        found: requestClass,
        ...(near === null ? {} : { hint: `did you mean ${near}?` }),
      },
    ];
  });
  if (problems.length > 0) throw new InvalidInputError(problems);
}

function traceInputs(requests: RequestTable, routing: { name: string; digest: string } | null): readonly InputRow[] {
  return [
    { role: "requests", name: requests.origin.name, sha256: requests.origin.digest },
    ...(routing === null ? [] : [{ role: "routing", name: routing.name, sha256: routing.digest }]),
  ];
}
