import { z } from "zod";
import { builtInPolicies, type PolicyTables } from "../policy/policy-tables.ts";
import { coldStartSection } from "./cold-start-section.ts";
import { costSection } from "./cost-section.ts";
import { engineSection } from "./engine-section.ts";
import { hardwareSection } from "./hardware-section.ts";
import { modelCacheSection } from "./model-cache-section.ts";
import { modelSection } from "./model-section.ts";
import { parallelSection } from "./parallel-section.ts";
import { planSection } from "./plan-section.ts";
import { policySectionOf } from "./policy-section.ts";
import { handoverSectionOf, poolsSectionOf } from "./pools-section.ts";
import { word } from "./quantity.ts";
import { routingSection } from "./routing-section.ts";
import { sloSection } from "./slo-section.ts";
import { sweepSection } from "./sweep-section.ts";
import { trafficSection } from "./traffic-section.ts";
import { warmupSection } from "./warmup-section.ts";

/** Version of the scenario format; raised on every incompatible change. */
const scenarioVersion = 1;

/** A parameter of the scenario: a default, or null where the caller has to give a value. */
const parameters = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.union([z.string(), z.null()]));

/** The scenario file: the one place that says which keys exist, what they mean and what they default to. */
function schemaOf(tables: PolicyTables) {
  const policy = policySectionOf(tables);
  return z.strictObject({
    version: z.literal(scenarioVersion).describe("Version of the scenario format."),
    name: word().describe("Name of the scenario, printed with results."),
    description: z.string().max(10_000).default("").describe("What the scenario shows."),
    params: parameters
      .optional()
      .describe(
        "Parameters of file paths by name, written as $NAME in braces there: the value of --param NAME=value, else this.",
      ),
    seed: z.int().min(0).max(4_294_967_295).default(1).describe("Seed of every random stream."),
    warmup: warmupSection.describe(
      "Requests at the start that statistics leave out: a number, or a percentage of them; default 5%, and none with coldStart.",
    ),
    coldStart: coldStartSection
      .optional()
      .describe(
        "Count from the first request on, while replicas load and caches fill; without it, replicas are ready.",
      ),
    model: modelSection.describe("The model that is served."),
    hardware: hardwareSection.describe("What it runs on."),
    engine: engineSection.describe(
      "The serving engine and its scheduler. Keys are flags in camel case: vLLM's where engines have the same option, else the engine's own.",
    ),
    parallel: parallelSection
      .default({})
      .describe("How a replica is spread over devices: tp * cp * dp == ep * etp * edp must hold."),
    pools: poolsSectionOf(policy)
      .optional()
      .describe(
        "Pools of replicas of the deployment, each with its own sections where they differ; without them, one pool of all replicas.",
      ),
    handover: handoverSectionOf(tables)
      .optional()
      .describe("How requests change from pools that prefill to pools that decode; default as the engine does it."),
    modelCache: modelCacheSection
      .optional()
      .describe(
        "The pools are models that take turns on the same devices: device memory has room for some, the tiers behind it for all.",
      ),
    traffic: trafficSection.describe("The requests: how many, when, how long."),
    routing: routingSection.describe("Which experts each token visits."),
    policy: policy.prefault({}).describe("Placement, offload and request routing."),
    slo: sloSection.optional().describe("Service-level objectives: expressions per metric."),
    cost: costSection.optional().describe("Price of the deployment, instead of the profile's."),
    plan: planSection
      .optional()
      .describe("The question that moecast plan answers; every other command takes the scenario as it stands."),
    sweep: sweepSection
      .optional()
      .describe("Configurations that moecast sweep runs; every other command takes the scenario as it stands."),
  });
}

const made = new WeakMap<PolicyTables, ReturnType<typeof schemaOf>>();

/** The schema of scenarios that may name the policies of these tables. Made once for each. */
export function scenarioSchema(tables: PolicyTables = builtInPolicies): ReturnType<typeof schemaOf> {
  const known = made.get(tables) ?? schemaOf(tables);
  made.set(tables, known);
  return known;
}

/** A scenario as validated: defaults filled in, quantities in base units, paths as written. */
export type ScenarioValue = z.output<ReturnType<typeof schemaOf>>;
