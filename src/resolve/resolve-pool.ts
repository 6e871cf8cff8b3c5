import { InvalidInputError, type Problem } from "../core/errors.ts";
import { defaultFrontEnds } from "../engine/resolve-engine.ts";
import { missPolicies } from "../policy/miss/miss-policies.ts";
import type { MissPolicy } from "../policy/miss/miss-policy.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { PoolConfig } from "../sim/config.ts";
import { moeShape } from "../sim/mapping.ts";
import { expertGroupLedger, nodeLedger } from "../sim/mapping-over-nodes.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { SolveRunner } from "../solver/solver.ts";
import { checkLayerBits } from "./expert-bits.ts";
import type { FileReader, Surroundings } from "./file-reader.ts";
import type { InputRow } from "./input-row.ts";
import { kernelLedger } from "./kernel-ledger.ts";
import { placesInWords, withFlags } from "./offload-flags.ts";
import { offloadWhatIf } from "./offload-what-if.ts";
import type { PolicySetting } from "./policy-setting.ts";
import type { PoolScenario } from "./pool-scenarios.ts";
import type { Price } from "./price.ts";
import { resolveContextParallelism } from "./resolve-context-parallelism.ts";
import { resolveDispatch } from "./resolve-dispatch.ts";
import { resolveEngine, schedulerOf } from "./resolve-engine.ts";
import { resolveExchange } from "./resolve-exchange.ts";
import { resolveHardware } from "./resolve-hardware.ts";
import { resolveMapping } from "./resolve-mapping.ts";
import { resolveModel } from "./resolve-model.ts";
import { resolveOffload } from "./resolve-offload.ts";
import { resolvePlacement } from "./resolve-placement.ts";
import { resolveRebalance } from "./resolve-rebalance.ts";
import type { ResolvedRouting } from "./resolve-routing.ts";
import { resolveReplicas } from "./resolve-scaling.ts";
import { resolveSpeculation } from "./resolve-speculation.ts";
import { startUpOfLeft, startUpOfShape } from "./resolve-start-up.ts";
import { servedEngine } from "./served-engine.ts";

/** What of a pool is known before the routing is. */
export interface PoolShape {
  readonly scenario: Scenario;
  readonly config: Omit<PoolConfig, "routing" | "placement" | "offload">;
  readonly price: Price | null;
  readonly inputs: readonly InputRow[];
  readonly ledger: readonly LedgerEntry[];
  /** Why its engine does not start; empty where it does. */
  readonly refusals: readonly Problem[];
}

/** Model, hardware, engine, layout and scheduler of a pool. */
export async function resolvePoolShape({ scenario, identity }: PoolScenario, reader: FileReader): Promise<PoolShape> {
  const { model, storage, kvFormat, ...modelFacts } = await resolveModel(scenario, reader);
  checkLayerBits(scenario, model);
  const hardware = await resolveHardware(scenario, reader);
  const { engine: stated, ...engineFacts } = await resolveEngine(scenario, reader, hardware.node.device);
  const speculation = resolveSpeculation(scenario, model);
  const mapping = resolveMapping(scenario, model, hardware.node);
  const moe = moeShape(model);
  const setting = { moe, mapping, node: hardware.node, speculation: speculation.value };
  const exchange = resolveExchange(scenario, servedEngine(stated, hardware.node.device), setting);
  const { engine } = exchange;
  const context = resolveContextParallelism(scenario, engine, model, mapping);
  const replicas = resolveReplicas(scenario, { model, ...storage, mapping, node: hardware.node });
  const config = {
    ...identity,
    model,
    ...storage,
    kvFormat,
    node: hardware.node,
    engine,
    mapping,
    ...context.config,
    ...replicas.config,
    frontEnds: scenario.engine.apiServerCount ?? defaultFrontEnds(engine, mapping.dp),
    readyNs: scenario.coldStart?.readyAfter ?? 0,
    scheduler: schedulerOf(scenario.engine, engine, model, exchange.schedulerMax),
    router: scenario.policies.routers[scenario.policy.router]!,
    speculation: speculation.value,
  };
  const startUp = startUpOfShape(scenario, config);
  return {
    scenario,
    config,
    refusals: startUp.refusals,
    price: hardware.price,
    inputs: [...modelFacts.inputs, ...hardware.inputs, ...engineFacts.inputs],
    ledger: [
      ...modelFacts.ledger,
      ...hardware.ledger,
      ...(hostComputes(scenario) ? hardware.hostLedger : []),
      ...nodeLedger(mapping, hardware.node),
      ...context.ledger,
      ...expertGroupLedger(mapping),
      ...kernelLedger(hardware.node.device, engine, { formats: storage.formats, kvFormat }),
      ...engineFacts.ledger,
      ...startUp.ledger,
      ...exchange.ledger,
      ...speculation.ledger,
      ...replicas.ledger,
    ],
  };
}

/** Whether the processors of the host compute experts that miss. */
function hostComputes({ policy: { offload } }: Scenario): boolean {
  if (offload?.flags !== undefined) return true;
  const policy: MissPolicy = missPolicies[offload?.miss.kind ?? "fetch"];
  return policy.needs.includes("host");
}

/** A pool with every name resolved. */
export interface ResolvedPool {
  readonly config: PoolConfig;
  readonly price: Price | null;
  /** Names of the policies as the scenario chose them. */
  readonly placement: string;
  readonly offload: string | null;
  /** Files that policies were made of. */
  readonly inputs: readonly InputRow[];
  readonly ledger: readonly LedgerEntry[];
}

/** Adds what depends on the routing: where experts are and which are cached. */
export async function resolvePool(
  { scenario: stated, config, price }: PoolShape,
  routed: ResolvedRouting,
  reader: Surroundings,
): Promise<ResolvedPool> {
  const { scenario, parts, host, ledger: flagLedger } = withFlags(stated, config);
  const { model, mapping, node, formats, weightBits } = config;
  const moe = moeShape(model);
  const { source, layerMap } = routed;
  const policies = await resolvePolicies(
    scenario,
    moe === null ? null : { scenario, model, moe, mapping, node, formats, weightBits, source, layerMap, reader },
    reader.solve,
  );
  const { placement, dispatch, offload, rebalance } = policies;
  const startUp = placement.value?.pruned === true ? startUpOfLeft(scenario, config, placement.value) : [];
  const divided = offload.value === null || parts === undefined ? offload.value : { ...offload.value, parts };
  return {
    config: {
      ...config,
      routing: routed.routing,
      placement: placement.value,
      ...(rebalance.value === undefined ? {} : { rebalance: rebalance.value }),
      ...(dispatch.value === undefined ? {} : { dispatch: dispatch.value }),
      offload: divided,
      ...(host === undefined ? {} : { host }),
    },
    price,
    placement:
      placement.name +
      (dispatch.value === undefined ? "" : `, ${dispatch.name} dispatch`) +
      (rebalance.value === undefined ? "" : `, rebalanced as ${rebalance.name}`),
    offload: offload.value === null ? null : `${offload.name}${placesInWords(parts, host)}`,
    inputs: placement.inputs ?? [],
    ledger: [
      ...startUp,
      ...placement.ledger,
      ...rebalance.ledger,
      ...dispatch.ledger,
      ...offload.ledger,
      ...flagLedger,
      ...(scenario.policy.offload === undefined ? [] : offloadWhatIf(config.engine, scenario.policy.offload)),
      ...costLedger(price),
    ],
  };
}

async function resolvePolicies(scenario: Scenario, setting: PolicySetting | null, solve: SolveRunner | undefined) {
  if (setting !== null) {
    const placement = await resolvePlacement(setting, solve);
    return {
      placement,
      rebalance: resolveRebalance(setting, placement.value),
      dispatch: await resolveDispatch(setting),
      offload: await resolveOffload(setting),
    };
  }
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
  return {
    placement: { value: null, name: "none", ledger: [], proofs: [], inputs: [] },
    rebalance: { value: undefined, name: "", ledger: [] },
    dispatch: { value: undefined, name: "", ledger: [] },
    offload: { value: null, name: "", ledger: [] },
  };
}

function costLedger(price: Price | null): LedgerEntry[] {
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
