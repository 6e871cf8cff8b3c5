import type { QueueingCase } from "./cases.ts";
import type { Observation } from "./observation.ts";

/**
 * Names of the operational laws that a run from empty to empty broke. Little's law: the area under the number in system
 * is the sum of the times in system. Utilisation law: the area under the busy servers is the work brought. Both are
 * identities in whole nanoseconds; under processor sharing every departure rounds, by less than a nanosecond each.
 */
export function lawViolations(model: QueueingCase, observations: readonly Observation[]): string[] {
  const little = observations.every((o) => o.areaNs === o.sojournSumNs);
  const utilisation = observations.every(
    (o) => Math.abs(o.busyNs - o.workSumNs) <= (model.shared ? 2 * o.customers : 0),
  );
  return [...(little ? [] : ["Little's law"]), ...(utilisation ? [] : ["utilisation law"])];
}
