import { refuse } from "../core/errors.ts";
import { type ExpertParts, expertParts } from "../engine/offload-flags/expert-parts.ts";
import { flagDialects } from "../engine/offload-flags/flag-dialects.ts";
import type { ExpertShape, FlaggedSplit } from "../engine/offload-flags/offload-flags.ts";
import { splitWords } from "../engine/offload-flags/words.ts";
import type { ModelSpec } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { HostWork, PoolConfig } from "../sim/config.ts";
import { moeShape } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { hostWorkEntry, hostWorkOf, layersInWords } from "./host-work.ts";
import { located } from "./located.ts";

type Section = NonNullable<Scenario["policy"]["offload"]>;

/** How the flags of engines number the layers of a model. */
export function expertShape(model: ModelSpec): ExpertShape {
  const moeLayers = model.layers.flatMap(({ feedForward }, layer) => (feedForward.kind === "moe" ? [layer] : []));
  const moe = moeShape(model);
  return { layers: model.layers.length, moeLayers, experts: moe?.experts ?? 0, matrices: moe?.matrices ?? 3 };
}

/** What flags say. */
export interface Flagged {
  /** The scenario with keys in place of what they say in flags. */
  readonly scenario: Scenario;
  /** [MoE layers] experts that are in two places, which no key says; absent where all are whole. */
  readonly parts?: readonly (ExpertParts | null)[];
  /** Layers and caches that are the host's, which no key says either; absent where there are none. */
  readonly host?: HostWork;
  readonly ledger: readonly LedgerEntry[];
}

/** A scenario whose offload is said in flags as one that says it in keys, as far as keys do. */
export function withFlags(scenario: Scenario, pool: Omit<PoolConfig, "routing" | "placement" | "offload">): Flagged {
  const { model, engine } = pool;
  const { offload } = scenario.policy;
  const flags = offload?.flags;
  if (offload === undefined || flags === undefined) return { scenario, ledger: [] };
  return located(scenario, ["policy", "offload", "flags"], () => {
    const dialect = flagDialects[engine.id];
    if (dialect === undefined)
      refuse({
        expected: `an engine whose flags are known: ${Object.keys(flagDialects).join(", ")}`,
        found: engine.id,
      });
    const split = dialect.read(splitWords(flags), expertShape(model));
    const section = { ...offload, ...keysOf(split, model) } as Section;
    const parts = partsOf(split, model);
    const host = hostWorkOf(split, pool, flags);
    if (parts !== undefined && (offload.prefetch?.kind ?? "none") !== "none")
      refuse({ expected: "whole experts beside a prefetcher: parts of experts are not sent ahead", found: flags });
    const unread = split.unread.length === 0 ? "" : `; not read: ${split.unread.join(" ")}`;
    return {
      scenario: { ...scenario, policy: { ...scenario.policy, offload: section } },
      ...(parts === undefined ? {} : { parts }),
      ...(host === undefined ? {} : { host }),
      ledger: [
        { topic: "offload flags", fidelity: "emulated", detail: `${flags}${unread}` },
        ...(parts === undefined ? [] : [partsEntry(parts)]),
        ...(host === undefined ? [] : [hostWorkEntry(host)]),
      ],
    };
  });
}

/** [MoE layers] experts in two places; undefined where all are whole. */
function partsOf({ chosen }: FlaggedSplit, model: ModelSpec): (ExpertParts | null)[] | undefined {
  if (chosen.kind !== "named" || chosen.hostMatrices.every((host) => host.length === 0)) return undefined;
  const { matrices } = expertShape(model);
  return chosen.hostMatrices.map((host) => (host.length === 0 ? null : expertParts(host, matrices)));
}

/** What the name of an offload says beside experts that are whole. */
export function placesInWords(parts: Flagged["parts"] = [], host?: HostWork): string {
  const layers = host === undefined || host.layers === 0 ? "" : `, ${layersInWords(host.layers)} on the host`;
  const caches = host?.allCaches === true ? ", all caches on the host" : "";
  const split = parts.filter((one) => one !== null).length;
  const divided = split === 0 ? "" : `, experts of ${split} ${split === 1 ? "layer" : "layers"} in two places`;
  return `${divided}${layers}${caches}`;
}

function partsEntry(parts: readonly (ExpertParts | null)[]): LedgerEntry {
  const split = parts.filter((one) => one !== null);
  const names = [...new Set(split.map(({ host }) => host.join(" and ")))].join("; ");
  return {
    topic: "experts in two places",
    fidelity: "assumed",
    detail: `the host multiplies ${names} of ${split.length} ${split.length === 1 ? "layer" : "layers"}, device and host in turn: a matrix takes its share of what the expert takes, and values cross in float32`,
  };
}

/** Settings that say in keys what flags say; none without flags, null where keys cannot say it. */
export function settingsOfFlags(flags: string | undefined, model: ModelSpec, engine: string): string[] | null {
  const dialect = flagDialects[engine];
  if (dialect === undefined || flags === undefined) return [];
  const split = dialect.read(splitWords(flags), expertShape(model));
  if (split.host !== null || partsOf(split, model) !== undefined) return null;
  const keys = keysOf(split, model);
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
