import { namesOf } from "../../calibrate/measured/names.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { bandsFor, classBands } from "../../forecast/bands/bands.ts";
import type { LatencyBands } from "../../forecast/bands/error-band-table.ts";
import type { SetupKey } from "../../forecast/bands/nearest-setup.ts";
import { systemProfileNamed } from "../../hardware/named-profiles.ts";
import type { LeaveOut } from "./leave-out.ts";

/** The ids of a measured point that its setup goes by; null where a name is not known. */
export function setupOf(point: ServingPoint): SetupKey | null {
  const { names } = namesOf(point);
  if (names === null) return null;
  return { model: names.model, device: systemProfileNamed(names.system).device, engine: names.engine };
}

/**
 * Bands of the forecast of a measured point: of its setup, or of left-out setups where the forecast had not seen its
 * setup. A left-out deployment has the band of its setup.
 */
export function bandsOfPoint(point: ServingPoint, leaveOut: LeaveOut, observed: boolean): LatencyBands {
  const setup = setupOf(point);
  const unseen = leaveOut !== null && leaveOut !== "deployment" && leaveOut !== "point";
  if (setup === null || unseen) return classBands("elsewhere");
  return bandsFor({ ...setup, observed, unvalidated: [] });
}
