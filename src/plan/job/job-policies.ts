import { loadPluginTables } from "../../plugin/load-plugin.ts";
import { builtInPolicies, type PolicyTables } from "../../policy/policy-tables.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { parseScenario } from "../../scenario/parse-scenario.ts";
import type { JobBase } from "./job.ts";

const known = new WeakMap<JobBase, Promise<PolicyTables>>();

/** The policies that jobs over a base may name. Plugins are loaded once for each base and thread. */
export function policiesOf(base: JobBase): Promise<PolicyTables> {
  if (base.plugins === undefined || base.plugins.length === 0) return Promise.resolve(builtInPolicies);
  const tables = known.get(base) ?? loadPluginTables(base.plugins);
  known.set(base, tables);
  return tables;
}

/** The scenario of a base with settings of a job over its own. */
export async function scenarioOf(base: JobBase, settings: readonly string[] = []): Promise<Scenario> {
  return parseScenario(base.text, base.file, {
    settings: [...base.settings, ...settings],
    params: base.params,
    policies: await policiesOf(base),
  });
}
