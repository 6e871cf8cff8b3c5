import { namesOf } from "../../calibrate/measured/names.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { bandsFor, classBands } from "../../forecast/bands/bands.ts";
import type { LatencyBands } from "../../forecast/bands/error-band-table.ts";
import type { GroupKey } from "../../forecast/bands/nearest-group.ts";
import { systemProfileNamed } from "../../hardware/named-profiles.ts";
import type { LeaveOut } from "./leave-out.ts";

/** The ids of a measured point that its group goes by; null where a name is not known. */
export function groupOf(point: ServingPoint): GroupKey | null {
  const { names } = namesOf(point);
  if (names === null) return null;
  return { model: names.model, device: systemProfileNamed(names.system).device, engine: names.engine };
}

/**
 * Bands of the forecast of a measured point: of its group, or of left-out groups where the forecast had not seen its
 * group. A left-out deployment has the band of its group.
 */
export function bandsOfPoint(point: ServingPoint, leaveOut: LeaveOut, observed: boolean): LatencyBands {
  const group = groupOf(point);
  const unseen = leaveOut !== null && leaveOut !== "deployment" && leaveOut !== "point";
  if (group === null || unseen) return classBands("elsewhere");
  return bandsFor({ ...group, observed, unvalidated: [] });
}
