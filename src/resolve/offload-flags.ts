import { InfeasibleError, refuse } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import { type ExpertParts, expertParts } from "../engine/offload-flags/expert-parts.ts";
import { flagDialects } from "../engine/offload-flags/flag-dialects.ts";
import type { ExpertShape, FlaggedSplit } from "../engine/offload-flags/offload-flags.ts";
import { splitWords } from "../engine/offload-flags/words.ts";
import { expertBytes } from "../models/bytes.ts";
import type { ModelSpec } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { HostWork, PoolConfig } from "../sim/config.ts";
import { moeShape } from "../sim/mapping.ts";
import { expertsInMemory, hostTier, memoryTiers } from "../sim/offload/offload-tiers.ts";
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

/** What flags are read against. */
type Served = Omit<PoolConfig, "routing" | "placement" | "offload">;

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
export function withFlags(scenario: Scenario, served: Served): Flagged {
  const { model, engine } = served;
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
    const pages = pagesOfFlags(split, offload, served);
    const section = { ...offload, ...keysOf(split, model), ...pages } as Section;
    const parts = partsOf(split, model);
    const host = hostWorkOf(split, served, flags);
    if (parts !== undefined && (offload.prefetch?.kind ?? "none") !== "none")
      refuse({ expected: "whole experts beside a prefetcher: parts of experts are not sent ahead", found: flags });
    const mapped =
      pages === null ? "" : "; experts on the host lie in pages of the model's file, as far as memory holds them";
    const unread = split.unread.length === 0 ? "" : `; not read: ${split.unread.join(" ")}`;
    return {
      scenario: { ...scenario, policy: { ...scenario.policy, offload: section } },
      ...(parts === undefined ? {} : { parts }),
      ...(host === undefined ? {} : { host }),
      ledger: [
        { topic: "offload flags", fidelity: "emulated", detail: `${flags}${mapped}${unread}` },
        ...(pages === null && split.loading === "mapped" && split.deviceFrom !== null && section.pinned !== false
          ? [mappedEntry(split.deviceFrom)]
          : []),
        ...(parts === undefined ? [] : [partsEntry(parts)]),
        ...(host === undefined ? [] : [hostWorkEntry(host)]),
      ],
    };
  });
}

/**
 * Settings that say in keys what flags of a section say: of the split, null where keys cannot say it, and of the pages that the host's
 * experts lie in. None without flags.
 */
export function settingsOfFlags(
  section: Section,
  served: Served,
): { readonly split: string[] | null; readonly pages: string[] } {
  const { flags } = section;
  const dialect = flagDialects[served.engine.id];
  if (dialect === undefined || flags === undefined) return { split: [], pages: [] };
  const read = dialect.read(splitWords(flags), expertShape(served.model));
  const sayable = read.host === null && partsOf(read, served.model) === undefined;
  const settings = (keys: object) =>
    Object.entries(keys).map(([key, value]) => `policy.offload.${key}=${JSON.stringify(value)}`);
  const pages = Object.entries(pagesOfFlags(read, section, served) ?? {}).map(([key, value]): [string, unknown] => [
    key,
    typeof value === "number" ? `${value}B` : value,
  ]);
  return {
    split: sayable ? ["policy.offload.flags=null", ...settings(keysOf(read, served.model))] : null,
    pages: settings(Object.fromEntries(pages)),
  };
}

/**
 * Where the experts of an engine lie that maps the model's file: in the page cache, if memory does not hold all of them, or if the
 * scenario gives them one. null: in memory from the start. Memory for experts (`hostMemory`) is then memory for their pages.
 */
function pagesOfFlags(
  { chosen, loading }: FlaggedSplit,
  { hostMemory, pageCache }: Section,
  served: Served,
): { readonly hostMemory: number; readonly pageCache: number | "rest" } | null {
  const { model, node } = served;
  const moe = moeShape(model);
  const host = hostTier(node);
  if (loading === undefined || host === undefined || moe === null) return null;
  const bytes = expertBytes(moe, served);
  const room = hostMemory ?? host.bytes;
  // Refused where keys are.
  if (room > host.bytes) return null;
  const { experts, inMemory } = expertsInMemory(served, room, bytes);
  if (loading === "whole") {
    const resident = chosen.kind === "named" ? chosen.resident.reduce((sum, one) => sum + one, 0) : 0;
    if (experts - resident > inMemory)
      throw new InfeasibleError(
        `policy.offload.flags: the engine reads the host's experts into memory before it starts, and they do not fit: ` +
          `${formatBytes((experts - resident) * bytes)} needed, ${formatBytes(inMemory * bytes)} available; ` +
          "without --no-mmap, --mlock or --direct-io they are pages of the model's file, which need not fit",
      );
    return null;
  }
  if (pageCache !== undefined) return hostMemory === undefined ? { hostMemory: 0, pageCache } : null;
  if (experts <= inMemory || memoryTiers(node.tiers) === node.tiers.length) return null;
  if (node.sockets !== undefined)
    refuse({
      expected:
        `experts that fit in memory (${formatBytes(inMemory * bytes)}): beyond that they are pages of the model's file, and ` +
        "on which socket those lie is not modelled (hardware.sockets)",
      found: formatBytes(experts * bytes),
    });
  return { hostMemory: 0, pageCache: hostMemory ?? "rest" };
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

/** A file that fits in memory is still pages: copies out of it pass a buffer of the driver. */
const mappedEntry = (deviceFrom: number): LedgerEntry => ({
  topic: "mapped file",
  fidelity: "assumed",
  detail:
    `experts in host memory are taken as page-locked, which a mapped file is not: steps of ${deviceFrom} tokens and more, for which they ` +
    "are copied, take between this and what policy.offload.pinned: false gives",
});

function partsEntry(parts: readonly (ExpertParts | null)[]): LedgerEntry {
  const split = parts.filter((one) => one !== null);
  const names = [...new Set(split.map(({ host }) => host.join(" and ")))].join("; ");
  return {
    topic: "experts in two places",
    fidelity: "assumed",
    detail: `the host multiplies ${names} of ${split.length} ${split.length === 1 ? "layer" : "layers"}, device and host in turn: a matrix takes its share of what the expert takes, and values cross in float32`,
  };
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
