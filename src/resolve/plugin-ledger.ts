import type { PolicyOrigin } from "../policy/policy-tables.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { LedgerEntry } from "../sim/result.ts";

/** Plugins of which a scenario names a policy, in any of its pools. */
export const usedPlugins = (scenario: Scenario): readonly PolicyOrigin[] =>
  scenario.policies.origins.filter((origin) => policiesOf(origin, scenario).length > 0);

/** What a result states of them: code that moecast does not know decided. */
export const pluginLedger = (scenario: Scenario): LedgerEntry[] =>
  usedPlugins(scenario).map((origin) => ({
    topic: "plugin",
    fidelity: "emulated",
    detail:
      `${policiesOf(origin, scenario).join(", ")} of plugin ${origin.plugin}, ` +
      `${origin.file ?? "passed by the program"} (sha256 ${origin.sha256}): code of the user, held to the laws of its family`,
  }));

/** The policies of a plugin that a scenario names, such as `cache decayed`. */
function policiesOf(
  { caches, placements, routers }: PolicyOrigin,
  { policy, pools = [], handover }: Scenario,
): string[] {
  const sections = [policy, ...pools.flatMap((pool) => (pool.policy === undefined ? [] : [pool.policy]))];
  const named = (family: string, names: readonly string[], used: readonly (string | undefined)[]) =>
    names.filter((name) => used.includes(name)).map((name) => `${family} ${name}`);
  return [
    ...named(
      "cache",
      caches,
      sections.map(({ offload }) => offload?.kind),
    ),
    ...named(
      "placement",
      placements,
      sections.map(({ placement }) => placement?.kind),
    ),
    ...named("router", routers, [...sections.map(({ router }) => router), handover?.router]),
  ];
}
