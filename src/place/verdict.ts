import { isReal } from "../core/paired-gain.ts";
import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { BalanceBound, JudgedMap, PlacementVerdict, SimulatedMap, TrafficSplit } from "./comparison.ts";
import { partRise, partsInWords, telling } from "./step-parts.ts";

/** Time a request below which a change of the map is not worth its trouble. */
const worthwhile = 0.01;
/** Why less work of the experts is not believed. */
const kernelSpread = "so far apart are the kernels' measured times with more and with fewer experts";
/** Imbalance beyond even load that counts as one. */
const evenEnough = 0.05;

/** Share of the KV cache above which it limits how many sequences run. */
const kvFull = 0.9;

interface Compared {
  readonly maps: readonly JudgedMap[];
  readonly simulated: readonly SimulatedMap[];
  readonly bound: BalanceBound;
  readonly split: TrafficSplit;
  readonly repeats: number;
}

/** A map's name: its policy and copies. */
export const mapName = ({ policy, redundant }: { readonly policy: string; readonly redundant: number }): string =>
  redundant > 0 ? `${policy} +${redundant}` : policy;

const percent = (share: number): string => formatPercent(share, 1);
const ratio = (value: number): string => formatNumber(value, 3);

/**
 * Whether a map with copies is faster by what it takes away: the KV cache that is left fills up, fewer sequences run at a time, and
 * each ends sooner while no more tokens are computed.
 */
const takesRoom = ({ redundant, kvPeakShare, gain }: SimulatedMap, current: SimulatedMap): boolean =>
  redundant > 0 &&
  kvPeakShare > kvFull &&
  current.kvPeakShare <= kvFull &&
  gain!.throughput.share < gain!.time.share / 2;

/**
 * What the experts' own work takes less under a map, as a share of step time. A map moves work between ranks and copies add some. Less
 * of it for as many tokens is how the kernels of a device were measured with more and with fewer experts, and no gain of the map.
 */
const ownWorkSaved = (map: SimulatedMap, current: SimulatedMap): number =>
  Math.max(0, -partRise("experts", current.stepNs, map.stepNs));

/** Apply a map where one saves time beyond its noise and worth the change; else keep what there is. */
export function placementVerdict(compared: Compared): PlacementVerdict {
  const { simulated, maps } = compared;
  const current = simulated.find(({ isCurrent }) => isCurrent)!;
  const timeOf = ({ gain }: SimulatedMap) => gain?.time.share ?? 0;
  const saves = ({ gain }: SimulatedMap) => gain !== null && isReal(gain.time) && gain.time.share >= worthwhile;
  const crowded = simulated.filter((map) => saves(map) && takesRoom(map, current));
  const crowding = crowded.map(
    (map) =>
      `the copies of ${mapName(map)} save ${percent(timeOf(map))} only by leaving KV cache for fewer sequences at a time, with ${percent(map.gain!.throughput.share)} more tokens/s; a smaller engine.maxNumSeqs does that without a map`,
  );
  const byKernels = simulated.filter(
    (map) => saves(map) && !crowded.includes(map) && timeOf(map) - ownWorkSaved(map, current) < worthwhile,
  );
  const noGain = [
    ...crowding,
    ...byKernels.map(
      (map) =>
        `what ${mapName(map)} saves is the experts' own work, ${percent(ownWorkSaved(map, current))} less for as many tokens: ${kernelSpread}`,
    ),
  ];
  const [best] = simulated
    .filter((map) => saves(map) && !crowded.includes(map) && !byKernels.includes(map))
    .sort((a, b) => timeOf(b) - timeOf(a));
  if (best === undefined) {
    const { policy, redundant } = current;
    const hopeful = simulated.filter(
      (map) => map.gain !== null && map.gain.time.share >= worthwhile && !isReal(map.gain.time),
    );
    const undecided = hopeful.length > 0;
    const why =
      compared.repeats === 1 ? "a single run does not tell it from noise" : "that is within the noise of the runs";
    const headline = undecided
      ? `undecided: ${hopeful.map((map) => `${mapName(map)} ${percent(timeOf(map))}`).join(", ")} less time a request, but ${why}`
      : `keep ${mapName(current)}: no map that was simulated saves ${percent(worthwhile)} of the time of a request${noGain.length > 0 ? " by its balance" : ""}`;
    const more = undecided ? ["more --repeats or --requests would decide"] : [];
    return { apply: false, policy, redundant, headline, reasons: [...more, ...noGain, ...reasonsToKeep(compared)] };
  }
  const { policy, redundant } = best;
  const map = maps.find((one) => one.policy === policy && one.redundant === redundant)!;
  const { time } = best.gain!;
  const judged = compared.split.by === "none" ? "traffic it was fitted to (optimistic)" : "traffic it has not seen";
  const { experts, bytes, ns } = map.migration;
  const { longer, shorter } = partsInWords(current.stepNs, best.stepNs);
  const own = ownWorkSaved(best, current);
  return {
    apply: true,
    policy,
    redundant,
    headline: `apply ${mapName(best)}: ${percent(time.share)} (+-${percent(time.halfWidth ?? 0)}) less time a request on ${judged}`,
    reasons: [
      ...(shorter === "" ? [] : [`its steps are shorter by ${shorter}${longer === "" ? "" : `; longer by ${longer}`}`]),
      ...(own < telling
        ? []
        : [`do not count on the ${percent(own)} that the experts' own work takes less: ${kernelSpread}`]),
      `at a restart it costs nothing; while serving ${formatCount(experts)} experts move, ${formatBytes(bytes)}, ${formatDuration(ns)} at least`,
      ...(map.copyBytes > 0
        ? [
            `its copies take ${formatBytes(map.copyBytes)} of each device, ${formatCount(map.kvTokens)} tokens of KV cache`,
          ]
        : []),
      ...noGain,
    ],
  };
}

/** Why no map pays, and the number that would have to change. */
function reasonsToKeep({ maps, simulated, bound, split }: Compared): string[] {
  const { batch, judgedTokens, step, lasting, chance, batchNeeded, waitShare, exchangeShare, exchangeFollowsMap } =
    bound;
  const reasons = [
    `waiting for the busiest rank is ${percent(waitShare)} of step time: perfect balance of every step could save no more`,
  ];
  if (step - 1 > evenEnough) {
    const byChance = `of a step of ${formatCount(judgedTokens)} ${judgedTokens === 1 ? "token" : "tokens"} the busiest rank has ${ratio(step)} times the mean; ${ratio(chance)} is chance alone, under any map of expert loads`;
    reasons.push(
      chance >= lasting && batchNeeded !== null && batchNeeded > judgedTokens
        ? `${byChance}, what lasts is ${ratio(lasting)}: steps would have to have ${formatCount(batchNeeded)} tokens for that to outweigh chance`
        : `${byChance}, and ${ratio(lasting)} lasts`,
    );
  }
  if (batch < bound.computeBoundBatch && lasting - 1 > evenEnough)
    reasons.push(
      `steps are small: below about ${formatCount(bound.computeBoundBatch)} tokens a rank's time follows the weights that it reads, not its tokens`,
    );
  const fits = maps.filter(({ isCurrent, heldOut }) => !isCurrent && heldOut !== null);
  const [best] = [...fits].sort((a, b) => a.heldOut!.whole.maxOverMean - b.heldOut!.whole.maxOverMean);
  const worth = maps.find(({ isCurrent }) => isCurrent)?.heldOut?.whole.maxOverMean;
  if (best !== undefined && worth !== undefined) {
    const [before, after] = [best.fitted.whole.maxOverMean, best.heldOut!.whole.maxOverMean];
    if (worth - after < evenEnough && worth - before > evenEnough)
      reasons.push(
        `maps do not hold: ${mapName(best)} has ${ratio(before)} on what it was fitted to (${split.fit}) and ${ratio(after)} on ${split.test}, the map in use ${ratio(worth)}`,
      );
  }
  const copies = simulated.filter(
    ({ redundant, gain }) =>
      redundant > 0 && gain !== null && isReal({ share: -gain.time.share, halfWidth: gain.time.halfWidth }),
  );
  const [worst] = [...copies].sort((a, b) => a.gain!.time.share - b.gain!.time.share);
  if (worst !== undefined)
    reasons.push(`copies lose: ${mapName(worst)} takes ${percent(-worst.gain!.time.share)} more time a request`);
  if (!exchangeFollowsMap && exchangeShare > 0)
    reasons.push("every rank is given all tokens by this engine's exchange: no map changes the bytes between them");
  return reasons;
}
