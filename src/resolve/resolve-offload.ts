import { refuse } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { formatBytes } from "../core/units.ts";
import { expertBytes } from "../models/bytes.ts";
import { expertHomes } from "../models/visits.ts";
import type { Admission } from "../policy/cache/admission/admission.ts";
import { admissions } from "../policy/cache/admission/admissions.ts";
import { type CachePolicy, configured } from "../policy/cache/expert-cache.ts";
import type { Reserved } from "../policy/cache/reserved.ts";
import { countsUses } from "../policy/cache/static-choice.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { OffloadConfig } from "../sim/config.ts";
import { memoryTiers } from "../sim/offload/offload-tiers.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { stagePlans } from "../sim/step/stage-plan.ts";
import { checkCacheNeeds } from "./cache-needs.ts";
import { type ExpertLoads, expertLoads } from "./expert-loads.ts";
import { inWords } from "./in-words.ts";
import { locatedAsync } from "./located.ts";
import { offloadMemory } from "./offload-memory.ts";
import { fitEntry, type PolicySetting, placedExperts, type Resolved } from "./policy-setting.ts";
import { reservedExperts } from "./reserved-experts.ts";
import { resolveMiss } from "./resolve-miss.ts";
import { resolvePrefetch } from "./resolve-prefetch.ts";
import { slotsOverLayers } from "./slots-over-layers.ts";

/** The expert cache of a scenario; null without offload. */
export function resolveOffload(setting: PolicySetting): Promise<Resolved<OffloadConfig | null>> {
  const { scenario, moe, mapping, node, model } = setting;
  const section = scenario.policy.offload;
  if (section === undefined) return Promise.resolve({ value: null, name: "", ledger: [] });
  return locatedAsync(scenario, ["policy", "offload"], async () => {
    if (setting.source === null)
      refuse({
        expected: "routing to replay: a cache has no hit rate under uniform routing",
        found: "routing.kind uniform",
      });
    if (mapping.edp > 1)
      refuse({
        ...scenario.place(["parallel", "edp"]),
        at: "parallel.edp",
        expected: "1 with policy.offload: expert caches of several copies of the experts are not simulated",
        found: mapping.edp,
      });
    const memory = offloadMemory(scenario, section, node);
    checkDiskPath(setting);
    if (setting.source?.replayed.kept !== undefined)
      refuse({
        ...scenario.place(["routing", "transforms"]),
        at: "routing.transforms",
        expected:
          "transforms that take no experts out of the model: slots of a cache and host memory are of all of them",
        found: "prune or merge, with policy.offload",
        hint: "mask leaves experts in memory and takes their tokens",
      });
    if (section.numa !== undefined && node.sockets === undefined)
      refuse({
        ...scenario.place(["policy", "offload", "numa"]),
        at: "policy.offload.numa",
        expected: "no numa: the node has one socket (hardware.sockets)",
        found: section.numa,
      });
    if (!section.pinned && node.device.hostLink === null)
      refuse({
        ...scenario.place(["policy", "offload", "pinned"]),
        at: "policy.offload.pinned",
        expected: `true: ${node.device.name} reads the host's memory in place`,
        found: false,
      });
    const kind: CachePolicy = scenario.policies.caches[section.kind]!;
    const parameters = parametersIn(kind.parameters, section);
    checkCacheNeeds(setting, kind, parameters);
    const { admission, named: admissionName } = admissionOf(section.admission);
    const { miss, named: missName, ledger: missLedger } = resolveMiss(setting, section);
    const sliceBytes = Math.ceil(expertBytes(moe, setting) / mapping.etp);
    // The device of the stage with most MoE layers has the largest share.
    const stageLayers = Math.max(...stagePlans(model, mapping.pp).map(({ expertLayers }) => expertLayers));
    const caches = section.scope === "layer" ? stageLayers : 1;
    const spread = await slotsOverLayers(setting, sliceBytes);
    const slots =
      spread === null
        ? (section.slots ?? Math.floor((section.memory ?? 0) / (sliceBytes * caches)))
        : meanOf(spread.slots, expertHomes(model));
    const perRank = (placedExperts(setting) / mapping.ep) * (section.scope === "layer" ? 1 : stageLayers);
    if (slots < 1 && section.memory !== undefined)
      refuse({
        ...scenario.place(["policy", "offload", "memory"]),
        at: "policy.offload.memory",
        expected: `at least ${formatBytes(sliceBytes * caches)}: one expert in each of ${caches} caches`,
        found: formatBytes(section.memory),
      });
    const reserved = await reservedExperts(setting, { slots, slotsPerLayer: spread?.slots ?? null });
    const counts = kind.needs.includes("popularity") && countsUses(parameters["choose"]);
    const loads = counts ? await popularity(setting) : null;
    const prefetch = await resolvePrefetch(setting);
    const value: OffloadConfig = {
      policy: configured(kind, parameters),
      admission,
      ...(miss === null ? {} : { miss }),
      scope: section.scope,
      slots: Math.min(slots, perRank),
      ...(spread === null ? {} : { slotsPerLayer: spread.slots }),
      ...(reserved === null ? {} : { reserved }),
      ...memory,
      pinned: section.pinned,
      diskPath: section.diskPath,
      ...(node.sockets === undefined ? {} : { numa: section.numa ?? "local" }),
      // A fixed set that nobody counted for still has to know which experts a device serves.
      popularity: loads?.uses ?? (kind.needs.includes("popularity") ? usedAlike(setting) : null),
      overlap: section.overlap,
      ...(prefetch.value === undefined ? {} : { prefetch: prefetch.value }),
      logAccessesMax: section.logAccesses,
    };
    const unit = section.scope === "layer" ? "a layer" : "in all";
    const { flags } = scenario.policy.offload!;
    const held = flags === undefined ? `${section.kind}${inWords(parameters)}, ` : `by ${flags}: `;
    // A cache that no call fits into; a fixed set takes nothing in.
    const small = [...(spread?.slots ?? [value.slots])].filter((own) => own > 0 && own < moe.topK);
    const streams = small.length > 0 && kind.name !== "static";
    const below = streams ? `, fewer than the ${moe.topK} of a token` : "";
    const room = `${spread === null ? `${value.slots} of ${perRank} experts ${unit}` : spread.named}${below}`;
    const pinned = reserved === null ? "" : pinsInWords(reserved);
    return {
      value,
      name: `${held}${room}${pinned}${admissionName}${missName}${prefetch.name}`,
      ledger: [
        ...(loads === null ? (spread === null ? unusedFit(section) : []) : [fitEntry("expert cache", loads)]),
        ...(spread?.ledger ?? []),
        ...(streams ? [streamingEntry(Math.min(...small), moe.topK)] : []),
        ...missLedger,
        ...prefetch.ledger,
      ],
    };
  });
}

/** What becomes of calls that no cache of this size holds. */
const streamingEntry = (slots: number, topK: number): LedgerEntry => ({
  topic: "slots below a token",
  fidelity: "assumed",
  detail:
    `${slots} cannot hold the ${topK} experts that a token chooses: every call streams what does not fit through the ` +
    "transfer buffer, and only what the last call happened to leave can hit; no engine is known to run like that",
});

const pinsInWords = ({ keep, protect }: Reserved): string =>
  [
    [keep.length, "kept"],
    [protect.length, "protected"],
  ]
    .filter(([experts]) => experts !== 0)
    .map(([experts, how]) => `, ${experts} ${how}`)
    .join("");

/** Slots of a layer on average, in whole ones: what reports and advice name. */
function meanOf(slots: Uint32Array, homes: readonly number[]): number {
  return Math.round(slots.reduce((sum, count) => sum + count, 0) / new Set(homes).size);
}

/** The admission of a scenario, and what the name of the cache says of it. */
function admissionOf({ kind, ...section }: NonNullable<Scenario["policy"]["offload"]>["admission"]) {
  const admission: Admission = admissions[kind];
  const values = parametersIn(admission.parameters, section);
  return kind === "always"
    ? { admission: null, named: "" }
    : { admission: { admission, values }, named: `, admission ${kind}${inWords(values)}` };
}

function unusedFit({ kind, fit }: NonNullable<Scenario["policy"]["offload"]>): LedgerEntry[] {
  return fit === undefined
    ? []
    : [{ topic: "expert cache fit", fidelity: "assumed", detail: `not used: ${kind} goes by the run's own accesses` }];
}

/** Refuses a direct path where there is no disk, or no link to send over. */
function checkDiskPath({ scenario, node }: PolicySetting): void {
  if (scenario.policy.offload?.diskPath !== "direct") return;
  const refused = (why: string): never =>
    refuse({
      ...scenario.place(["policy", "offload", "diskPath"]),
      at: "policy.offload.diskPath",
      expected: `host: ${why}`,
      found: "direct",
    });
  if (node.device.hostLink === null) refused(`${node.device.name} has the host's memory as its own`);
  if (memoryTiers(node.tiers) === node.tiers.length) refused("a node has no disk");
}

/** No uses of any expert, by trace layer. */
const usedAlike = ({ source, moe }: PolicySetting): Float64Array =>
  new Float64Array((source?.replayed.layers ?? 0) * moe.experts);

/** Uses in the fitting set by trace layer of the replayed routing, as the simulator indexes it. */
async function popularity(setting: PolicySetting): Promise<ExpertLoads> {
  const { scenario, source, moe } = setting;
  const loads = await expertLoads(scenario, scenario.policy.offload?.fit, source, moe);
  if (source !== null && loads.layers !== source.replayed.layers)
    refuse({
      expected: `a fitting trace of the ${source.replayed.layers} layers that are replayed`,
      found: `${loads.layers} layers`,
    });
  return loads;
}
