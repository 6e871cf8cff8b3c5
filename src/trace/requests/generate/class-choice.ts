import type { ClassSpec, PhaseSpec } from "./generate-spec.ts";
import { weighted } from "./weighted.ts";

/** Class of a request by its number, by a uniform number of [0, 1). Requests are asked for in order. */
export type ClassChoice = (request: number, uniform: number) => number;

/**
 * Classes by their weights, or by those of the phase that a request is in. Within a phase that ramps, request i of n goes by
 * weights that lie (i + 1/2) / n of the way. Behind the last phase its last weights hold.
 */
export function classChoice(classes: readonly ClassSpec[], phases: readonly PhaseSpec[] | undefined): ClassChoice {
  if (phases === undefined) {
    const choose = weighted(classes.map(({ weight }) => weight ?? 1));
    return (_, uniform) => choose(uniform);
  }
  const ofClasses = (weights: Readonly<Record<string, number>>) => classes.map(({ name }) => weights[name] ?? 0);
  let next = 0;
  const stretches = phases.map(({ requests = Number.POSITIVE_INFINITY, weights, toWeights }) => {
    const from = ofClasses(weights);
    const to = toWeights === undefined ? null : ofClasses(toWeights);
    const first = next;
    next += requests;
    return { first, requests, end: next, from, to, steady: weighted(from), behind: weighted(to ?? from) };
  });
  let at = 0;
  return (request, uniform) => {
    while (at < stretches.length - 1 && request >= stretches[at]!.end) at += 1;
    const { first, requests, end, from, to, steady, behind } = stretches[at]!;
    if (request >= end) return behind(uniform);
    if (to === null) return steady(uniform);
    const way = (request - first + 0.5) / requests;
    return weighted(from.map((weight, index) => weight + (to[index]! - weight) * way))(uniform);
  };
}
