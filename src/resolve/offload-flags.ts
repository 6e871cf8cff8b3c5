import { refuse } from "../core/errors.ts";
import { flagDialects } from "../engine/offload-flags/flag-dialects.ts";
import type { ExpertShape, FlaggedSplit } from "../engine/offload-flags/offload-flags.ts";
import { splitWords } from "../engine/offload-flags/words.ts";
import type { ModelSpec } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { moeShape } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { located } from "./located.ts";

type Section = NonNullable<Scenario["policy"]["offload"]>;

/** How the flags of engines number the layers of a model. */
export function expertShape(model: ModelSpec): ExpertShape {
  const moeLayers = model.layers.flatMap(({ feedForward }, layer) => (feedForward.kind === "moe" ? [layer] : []));
  return { layers: model.layers.length, moeLayers, experts: moeShape(model)?.experts ?? 0 };
}

/** A scenario whose offload is said in flags as one that says it in keys, and what the ledger says of flags. */
export function withFlags(
  scenario: Scenario,
  model: ModelSpec,
  engine: string,
): { readonly scenario: Scenario; readonly ledger: readonly LedgerEntry[] } {
  const { offload } = scenario.policy;
  const flags = offload?.flags;
  if (offload === undefined || flags === undefined) return { scenario, ledger: [] };
  return located(scenario, ["policy", "offload", "flags"], () => {
    const dialect = flagDialects[engine];
    if (dialect === undefined)
      refuse({ expected: `an engine whose flags are known: ${Object.keys(flagDialects).join(", ")}`, found: engine });
    const split = dialect.read(splitWords(flags), expertShape(model));
    const section = { ...offload, ...keysOf(split, model) } as Section;
    const unread = split.unread.length === 0 ? "" : `; not read: ${split.unread.join(" ")}`;
    return {
      scenario: { ...scenario, policy: { ...scenario.policy, offload: section } },
      ledger: [{ topic: "offload flags", fidelity: "emulated", detail: `${flags}${unread}` }],
    };
  });
}

/** Settings that say in keys what flags say; none without flags. */
export function settingsOfFlags(flags: string | undefined, model: ModelSpec, engine: string): string[] {
  const dialect = flagDialects[engine];
  if (dialect === undefined || flags === undefined) return [];
  const keys = keysOf(dialect.read(splitWords(flags), expertShape(model)), model);
  const settings = Object.entries(keys).map(([key, value]) => `policy.offload.${key}=${JSON.stringify(value)}`);
  return ["policy.offload.flags=null", ...settings];
}

/** The keys that say what a split says. */
function keysOf({ chosen, deviceFrom, deferred }: FlaggedSplit, model: ModelSpec): Partial<Record<string, unknown>> {
  const from = deviceFrom === null ? {} : { deviceFrom };
  const miss = deferred === 0 ? { kind: "host", ...from } : { kind: "deferral", experts: deferred, ...from };
  if (chosen.kind === "counted" && chosen.chosenAnew)
    return { kind: "remask", tokensFrom: deviceFrom, scope: "layer", slots: chosen.perLayer, miss };
  if (chosen.kind === "counted") {
    const fills = chosen.strategy === "front-loading";
    const layers = new Set(expertHomes(model)).size;
    return {
      choose: chosen.strategy,
      scope: fills ? "global" : "layer",
      slots: chosen.perLayer * (fills ? layers : 1),
      miss,
    };
  }
  const { experts } = expertShape(model);
  const held = Array.from({ length: chosen.resident.length / experts }, (_, layer) =>
    chosen.resident.subarray(layer * experts, (layer + 1) * experts).reduce((sum, one) => sum + one, 0),
  );
  return { choose: "uniform", scope: "layer", slotsPerLayer: held, miss };
}
