import { refuse } from "../../core/errors.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { acceptOption } from "../likeness/measurement-likeness.ts";
import type { ObservedFit } from "./observed-fit.ts";
import type { ObservedLoad } from "./observed-loads.ts";

/**
 * Factor on TPOT or kernels beyond which a measurement is one of another deployment. Of 801 measured points of engines whose
 * drafting is declared none takes less than 0.69 or more than 2.23 times its forecast, and none of those with a place
 * for every request more than 1.70; versions of an engine differ by 0.79 to 1.10.
 */
const factorMost = 2.5;

/** By how much a fit moved groups of an engine's figures. */
export function factorsOf(
  base: EngineProfile,
  { engine, fetchFactor }: ObservedFit,
): readonly (readonly [string, number])[] {
  const factors = {
    kernels: engine.kernelExcess / base.kernelExcess,
    "prompt kernels": engine.prefillExcess / base.prefillExcess,
    launches: engine.kernelOverheadNs / base.kernelOverheadNs,
    "time per sequence": engine.sequenceOverheadNs / base.sequenceOverheadNs,
    collectives: engine.collectiveFactor / base.collectiveFactor,
    ...(fetchFactor === 1 ? {} : { "fetches of experts": fetchFactor }),
  };
  return Object.entries(factors).filter(([, factor]) => Number.isFinite(factor));
}

/** What makes a deployment faster than its description, and slower. */
const explanations = {
  faster: "a smaller model, fewer bits a weight, drafted tokens, a faster device or more of them",
  slower: "a larger model, more bits a weight, a slower device, fewer of them, or one that others use too",
} as const;

/** Refuses an adjustment by more than deployments differ, with what would explain it. */
export function checkFactors(
  base: EngineProfile,
  loads: readonly ObservedLoad[],
  fit: ObservedFit,
  file: string,
): void {
  const tpots = loads.flatMap(({ name, tpotMs }, i): [string, number][] => {
    const factor = tpotMs / (fit.before[i]?.tpotMs ?? tpotMs);
    return [[`TPOT of ${name}`, factor]];
  });
  // Launches are small beside kernels, and a TTFT hardly tells prompts from the handling of requests.
  const kernels = factorsOf(base, fit).filter(([what]) => what === "kernels");
  const first = [...tpots, ...kernels].find(([, factor]) => factor > factorMost || factor < 1 / factorMost);
  if (first === undefined) return;
  const [what, factor] = first;
  refuse({
    file,
    expected: "a measurement of the deployment that the scenario describes",
    found: `${what} ${factor.toFixed(2)} times the forecast`,
    hint: `it may be ${explanations[factor < 1 ? "faster" : "slower"]}; ${acceptOption} adjusts to it all the same`,
  });
}
