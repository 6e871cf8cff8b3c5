import { type Gain, gainOf, isReal } from "../core/paired-gain.ts";
import { formatPercent } from "../core/units.ts";
import type { LeftOutMapping, MappingVerdict, SimulatedMapping } from "./mapping-comparison.ts";
import { partsInWords, stepSum } from "./step-parts.ts";

/** Time a request below which another mapping is not worth a restart. */
const worthwhile = 0.01;
const percent = (share: number): string => formatPercent(share, 1);

/** Take the mapping that saves time beyond its noise and is worth a restart; else keep what there is. And why EP or TP is slower. */
export function mappingVerdict(
  mappings: readonly SimulatedMapping[],
  leftOut: readonly LeftOutMapping[],
): MappingVerdict {
  const current = mappings.find(({ isCurrent }) => isCurrent)!;
  const shareOf = ({ gain }: SimulatedMapping) => gain?.time.share ?? 0;
  const saves = ({ gain }: SimulatedMapping) => gain !== null && isReal(gain.time) && gain.time.share >= worthwhile;
  const faster = mappings.filter(saves).sort((a, b) => shareOf(b) - shareOf(a));
  // What the engine may not have, or does otherwise than simulated, is no advice.
  const [best] = faster.filter(({ startNotes }) => startNotes.length === 0);
  const otherwise = faster.filter(({ startNotes }) => startNotes.length > 0);
  const reasons = [
    ...(otherwise.length === 0
      ? []
      : [
          `faster, but not started by this engine as they are simulated, as said below: ${otherwise.map((one) => `${one.name} ${percent(shareOf(one))}`).join(", ")}`,
        ]),
    ...expertsAgainstSlices(mappings, current, leftOut),
  ];
  if (best !== undefined) {
    const { time, throughput } = best.gain!;
    const rise = throughput.share >= 0 ? `${percent(throughput.share)} more` : `${percent(-throughput.share)} fewer`;
    return {
      apply: true,
      name: best.name,
      headline: `take ${best.name}: ${percent(time.share)} (+-${percent(time.halfWidth ?? 0)}) less time a request than ${current.name}`,
      reasons: [`${rise} output tokens/s; ${best.set.map((one) => `--set ${one}`).join(" ")}`, ...reasons],
    };
  }
  const hopeful = mappings.filter(
    (one) => one.gain !== null && shareOf(one) >= worthwhile && !isReal(one.gain.time) && one.startNotes.length === 0,
  );
  if (hopeful.length > 0)
    return {
      apply: false,
      name: current.name,
      headline: `undecided: ${hopeful.map((one) => `${one.name} ${percent(shareOf(one))}`).join(", ")} less time a request, but ${noise(current)}`,
      reasons: ["more --repeats or --requests would decide", ...reasons],
    };
  return {
    apply: false,
    name: current.name,
    headline:
      mappings.length === 1
        ? `keep ${current.name}: no other mapping of these devices ${leftOut.length > 0 ? "could be" : "was"} simulated`
        : `keep ${current.name}: no other mapping${faster.length > 0 ? " that its engine starts as it is simulated" : ""} saves ${percent(worthwhile)} of the time of a request`,
    reasons,
  };
}

/** Whole experts against slices of all, with as many copies of the set as the deployment has. */
function expertsAgainstSlices(
  mappings: readonly SimulatedMapping[],
  current: SimulatedMapping,
  leftOut: readonly LeftOutMapping[],
): string[] {
  const alike = mappings.filter(({ mapping }) => mapping.edp === current.mapping.edp);
  const whole = alike.find(({ mapping: { ep, etp } }) => ep > 1 && etp === 1);
  const sliced = alike.find(({ mapping: { ep } }) => ep === 1);
  if (whole === undefined || sliced === undefined) {
    const missing = leftOut.filter(
      ({ mapping: { ep, etp, edp } }) => edp === current.mapping.edp && (ep === 1 || etp === 1),
    );
    return missing.map(({ name, reason }) => `EP is not compared with TP, as ${name} was not simulated: ${reason}`);
  }
  const time = gainOf(sliced.timeMs, whole.timeMs);
  if (time.halfWidth === null) return [`a single run does not tell ${whole.name} from ${sliced.name}`];
  if (!differs(time))
    return [
      `${whole.name} and ${sliced.name} take the same time a request within ${percent(Math.abs(time.share) + time.halfWidth)}`,
    ];
  const [slow, fast] = time.share < 0 ? [whole, sliced] : [sliced, whole];
  const more = gainOf(fast.timeMs, slow.timeMs);
  const { longer, shorter } = partsInWords(fast.stepNs, slow.stepNs);
  return [
    `${slow.name} takes ${percent(-more.share)} (+-${percent(more.halfWidth ?? 0)}) more time a request than ${fast.name} here`,
    ...(longer === "" ? [] : [`its steps are longer by ${longer}${shorter === "" ? "" : `; shorter by ${shorter}`}`]),
    ...(slow === whole ? [withoutWaiting(whole, sliced)] : []),
  ];
}

/** What perfect balance of the experts' ranks would make of it. */
function withoutWaiting(whole: SimulatedMapping, sliced: SimulatedMapping): string {
  const [ep, tp] = [stepSum(whole.stepNs), stepSum(sliced.stepNs)];
  const left = (ep - whole.stepNs.wait) / tp - 1;
  return left > 0
    ? `perfect balance of ${whole.name}'s ranks would leave its steps ${percent(left)} longer`
    : `perfect balance of ${whole.name}'s ranks would make its steps ${percent(-left)} shorter: see what a map wins (moecast place without --mappings)`;
}

const differs = (gain: Gain): boolean => isReal(gain) || isReal({ ...gain, share: -gain.share });

/** Why a difference is not believed. */
const noise = ({ timeMs }: SimulatedMapping): string =>
  timeMs.length === 1 ? "a single run does not tell it from noise" : "that is within the noise of the runs";
