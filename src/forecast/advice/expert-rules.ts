import { parametersIn } from "../../core/parameters.ts";
import { ownLayers } from "../../models/visits.ts";
import { moeShape } from "../../sim/mapping.ts";
import type { AdviceRule, Change, Situation } from "./advice-rule.ts";

/** Redundant experts that keep the physical experts of a layer a multiple of its ranks, at least `atLeast`. */
function redundantSlots({ config }: Situation, atLeast: number): number | null {
  const moe = moeShape(config.model);
  if (moe === null) return null;
  const { ep } = config.mapping;
  return Math.ceil((moe.experts + atLeast) / ep) * ep - moe.experts;
}

function eplb({ policies, policy: { placement } }: Situation, redundant: number | null, text: string): Change | null {
  if (redundant === null) return null;
  // Parameters belong to the policy that goes.
  const own =
    placement === undefined
      ? []
      : Object.keys(parametersIn(policies.placements[placement.kind]!.parameters, placement));
  return {
    text,
    set: [
      ...own.map((key) => `policy.placement.${key}=null`),
      "policy.placement.kind=eplb",
      `policy.placement.redundant=${redundant}`,
    ],
  };
}

/** Whether expert ranks are loaded by recorded or synthesised routing, and there is more than one. */
const placeable = ({ config }: Situation): boolean =>
  config.mapping.ep > 1 && config.routing.kind === "replay" && config.offload === null;

/** Busy experts get copies, and ranks are filled evenly. */
export const balancedPlacement: AdviceRule = {
  causes: ["expertWait"],
  change: (situation) =>
    !placeable(situation) || situation.policy.placement?.kind === "eplb"
      ? null
      : eplb(situation, redundantSlots(situation, situation.config.mapping.ep), "experts balanced, busy ones copied"),
};

/** More copies, where there are some already. */
export const moreCopies: AdviceRule = {
  causes: ["expertWait"],
  change: (situation) => {
    const { placement } = situation.policy;
    if (!placeable(situation) || placement?.kind !== "eplb") return null;
    const atLeast = Math.max(situation.config.mapping.ep, 2 * placement.redundant);
    return eplb(situation, redundantSlots(situation, atLeast), "more copies of busy experts");
  },
};

/** A policy that suits the accesses better: the fixed set where it was better with hindsight, else the other order. */
export const otherCachePolicy: AdviceRule = {
  causes: ["expertFetch"],
  change: ({ config: { offload }, forecast: { cache }, policies, policy }) => {
    if (offload === null || policy.offload === undefined || policy.offload.flags !== undefined) return null;
    const name = policy.offload.kind;
    const reference = cache?.reference ?? null;
    const fixed = reference !== null && name !== "static" && reference.bestStatic > reference.policy;
    const kind = fixed ? "static" : name === "lru" ? "lfu" : "lru";
    const text = fixed
      ? "the most used experts kept"
      : kind === "lfu"
        ? "often used experts kept"
        : "recent experts kept";
    // Parameters belong to the policy that goes.
    const own = Object.keys(parametersIn(policies.caches[name]!.parameters, policy.offload));
    return { text, set: [...own.map((key) => `policy.offload.${key}=null`), `policy.offload.kind=${kind}`] };
  },
};

/** Missing experts travel while resident ones compute. */
export const overlappedFetches: AdviceRule = {
  causes: ["expertFetch"],
  change: ({ config: { offload } }) =>
    offload === null || offload.overlap
      ? null
      : { text: "experts fetched while resident ones compute", set: ["policy.offload.overlap=true"] },
};

/** KV blocks that nobody ever used hold experts. */
export const moreSlots: AdviceRule = {
  causes: ["expertFetch"],
  change: ({ config, forecast, policy }) => {
    const { offload, mapping, model } = config;
    const moe = moeShape(model);
    // What flags of the engine divide has no slots of its own.
    const divided = Array.isArray(policy.offload?.slotsPerLayer) || policy.offload?.flags !== undefined;
    if (offload === null || moe === null || divided) return null;
    const layers = ownLayers(model).filter(({ feedForward }) => feedForward.kind === "moe").length;
    const [device] = forecast.memory.tiers;
    const bytesOf = (part: string) => device?.items.find(({ name }) => name.startsWith(part))?.bytes ?? 0;
    const slotBytes = bytesOf("expert cache") / offload.slots;
    const idleBytes = (device?.capacityBytes ?? 0) * config.scheduler.memoryUtilisation - (device?.usedBytes ?? 0);
    const spareBytes = idleBytes + bytesOf("KV cache") * (1 - Math.min(1, forecast.kv.peakShare * kvSlack));
    const all = Math.ceil(moe.experts / mapping.ep) * (offload.scope === "layer" ? 1 : layers);
    const slots = Math.min(all, offload.slots + Math.floor(spareBytes / slotBytes));
    if (slots <= offload.slots) return null;
    const instead = policy.offload?.memory === undefined ? [] : ["policy.offload.memory=null"];
    return { text: "more expert slots", set: [...instead, `policy.offload.slots=${slots}`] };
  },
};

/** What host memory holds need not be read from disk. */
export const moreHostMemory: AdviceRule = {
  causes: ["expertFetch"],
  change: ({ forecast: { cache }, policy }) =>
    cache === null ||
    cache.diskReads === 0 ||
    policy.offload?.hostMemory === undefined ||
    // What experts do not take is the page cache's.
    policy.offload.pageCache !== undefined
      ? null
      : { text: "all of host memory for experts", set: ["policy.offload.hostMemory=null"] },
};

/** KV blocks that are left for more than the run ever used. */
const kvSlack = 1.25;
