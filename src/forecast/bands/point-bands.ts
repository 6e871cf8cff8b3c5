import { systemProfileNamed } from "../../hardware/systems.ts";
import { namesOf } from "../measured/names.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import type { LeaveOut } from "../validation/validate-serving.ts";
import { bandsFor, classBands } from "./bands.ts";
import type { LatencyBands } from "./error-band-table.ts";
import type { GroupKey } from "./nearest-group.ts";

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
