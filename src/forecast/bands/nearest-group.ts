import { relativesOf } from "../calibration/architectures.ts";
import type { ValidatedGroup } from "./error-band-table.ts";

/** A deployment as far as errors depend on it: ids of the catalogue and of profiles. */
export type GroupKey = Pick<ValidatedGroup, "model" | "device" | "engine">;

/**
 * Distance of a deployment from a validated group; null beyond everything that shares its errors:
 * 0 the same model, device and engine; 1 another model on the same device and engine; 2 the same model and engine on
 * another device of the architecture; 3 another model there. An engine that was not measured is near nothing: half of
 * the error of a left-out group is its kernel overhead.
 */
export function groupDistance(from: GroupKey, to: GroupKey): number | null {
  if (from.engine !== to.engine) return null;
  const otherModel = from.model === to.model ? 0 : 1;
  if (from.device === to.device) return otherModel;
  return relativesOf(from.device).includes(to.device) ? 2 + otherModel : null;
}

/** The nearest group, of equally near ones that with the most points, then the first; null where all are far. */
export function nearestGroup(key: GroupKey, groups: readonly ValidatedGroup[]): ValidatedGroup | null {
  let nearest: { group: ValidatedGroup; distance: number } | null = null;
  for (const group of groups) {
    const distance = groupDistance(key, group);
    if (distance === null) continue;
    const better =
      nearest === null ||
      distance < nearest.distance ||
      (distance === nearest.distance && group.points > nearest.group.points);
    if (better) nearest = { group, distance };
  }
  return nearest?.group ?? null;
}
