import { basename } from "node:path";
import { sha256 } from "../core/digest.ts";
import { InvalidInputError, type Problem } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { defaultFrontEnds } from "../engine/resolve-engine.ts";
import { routers } from "../policy/router/routers.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { printTarget } from "../scenario/slo-expression.ts";
import type { Workload } from "../sim/config.ts";
import { moeShape } from "../sim/mapping.ts";
import { nodeLedger } from "../sim/mapping-over-nodes.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { RequestTable } from "../trace/request-table.ts";
import { coldStartLedger, warmupRequests } from "./cold-start.ts";
import type { FileReader } from "./file-reader.ts";
import type { InputRow } from "./input-row.ts";
import { kernelLedger } from "./kernel-ledger.ts";
import { resolveEngine, schedulerOf } from "./resolve-engine.ts";
import { resolveExchange } from "./resolve-exchange.ts";
import { resolveHardware } from "./resolve-hardware.ts";
import { resolveMapping } from "./resolve-mapping.ts";
import { resolveModel } from "./resolve-model.ts";
import { type PolicySetting, resolveOffload, resolvePlacement } from "./resolve-policies.ts";
import { requestLedger, resolveWorkload } from "./resolve-requests.ts";
import { checkDomains, type ResolvedRouting, resolveRouting } from "./resolve-routing.ts";
import { resolveSpeculation } from "./resolve-speculation.ts";
import type { ResolvedScenario } from "./resolved.ts";
import { servedEngine } from "./served-engine.ts";

/**
 * Turns every name of a scenario into values: model, hardware, engine, requests, routing, policies. Throws
 * InvalidInputError, with the place in the scenario, for names that do not exist and values that do not fit together.
 * `measured` replaces the scenario's own traffic, `replayed` its routing. An aborted `signal` ends with its reason.
 */
export async function resolveScenario(
  scenario: Scenario,
  reader: FileReader,
  measured: Workload | null = null,
  signal?: AbortSignal,
  replayed?: ResolvedRouting,
): Promise<ResolvedScenario> {
  const { model, formats, kvFormat, ...modelFacts } = await resolveModel(scenario, reader);
  const hardware = await resolveHardware(scenario, reader);
  const { engine: stated, ...engineFacts } = await resolveEngine(scenario, reader, hardware.node.device);
  const speculation = resolveSpeculation(scenario, model);
  const mapping = resolveMapping(scenario, model, hardware.node);
  const moe = moeShape(model);
  const setting = { moe, mapping, node: hardware.node, speculation: speculation.value };
  const exchange = resolveExchange(scenario, servedEngine(stated, hardware.node.device), setting);
  const { engine } = exchange;
  const workload = measured ?? (await resolveWorkload(scenario));
  checkClasses(scenario, workload.requests);
  const routed = replayed ?? (await resolveRouting(scenario, model, moe, workload.requests, signal));
  checkDomains(scenario, workload.requests, routed.routing);
  const policies = await resolvePolicies(
    scenario,
    moe === null
      ? null
      : {
          scenario,
          model,
          moe,
          mapping,
          node: hardware.node,
          formats,
          source: routed.source,
          layerMap: routed.layerMap,
        },
  );
  return {
    config: {
      seed: scenario.seed,
      model,
      formats,
      kvFormat,
      node: hardware.node,
      engine,
      mapping,
      replicas: scenario.parallel.replicas ?? 1,
      frontEnds: scenario.engine.apiServerCount ?? defaultFrontEnds(engine, mapping.dp),
      readyNs: scenario.coldStart?.readyAfter ?? 0,
      scheduler: schedulerOf(scenario.engine, engine, model, exchange.schedulerMax),
      router: routers[scenario.policy.router],
      workload,
      routing: routed.routing,
      placement: policies.placement.value,
      offload: policies.offload.value,
      speculation: speculation.value,
      warmupRequests: warmupRequests(scenario, workload.requests.count),
    },
    routed,
    price: hardware.price,
    placement: policies.placement.name,
    offload: policies.offload.value === null ? null : policies.offload.name,
    inputs: [
      ...scenarioInputs(scenario),
      ...modelFacts.inputs,
      ...hardware.inputs,
      ...engineFacts.inputs,
      ...traceInputs(workload.requests, routed.source?.whole.origin ?? null),
    ],
    ledger: [
      ...modelFacts.ledger,
      ...hardware.ledger,
      ...nodeLedger(mapping, hardware.node),
      ...kernelLedger(hardware.node.device, engine, { formats, kvFormat }),
      ...engineFacts.ledger,
      ...exchange.ledger,
      ...speculation.ledger,
      ...requestLedger(workload),
      ...coldStartLedger(scenario),
      ...routed.ledger,
      ...policies.placement.ledger,
      ...policies.offload.ledger,
      ...costLedger(hardware.price),
    ],
  };
}

/** The scenario and what was laid over it: settings and parameters change the result as the file's text does. */
function scenarioInputs(scenario: Scenario): readonly InputRow[] {
  return [
    { role: "scenario", name: basename(scenario.file), sha256: scenario.sha256 },
    ...scenario.overrides.map((text) => ({ role: "override", name: text, sha256: sha256(text) })),
  ];
}

async function resolvePolicies(scenario: Scenario, setting: PolicySetting | null) {
  if (setting !== null) return { placement: await resolvePlacement(setting), offload: await resolveOffload(setting) };
  const problems: Problem[] = (["placement", "offload"] as const).flatMap((key) =>
    scenario.policy[key] === undefined
      ? []
      : [
          {
            ...scenario.place(["policy", key]),
            at: `policy.${key}`,
            expected: "nothing: the model has no routed experts",
          },
        ],
  );
  if (problems.length > 0) throw new InvalidInputError(problems);
  return { placement: { value: null, name: "none", ledger: [] }, offload: { value: null, name: "", ledger: [] } };
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

function costLedger(price: ResolvedScenario["price"]): LedgerEntry[] {
  return price === null
    ? []
    : [
        {
          topic: "cost",
          fidelity: price.fidelity,
          detail: `${price.usdPerDeviceHour} USD per device and hour: ${price.source}; divided over input and output by step time`,
        },
      ];
}
