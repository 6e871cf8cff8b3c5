import { namesOf } from "../../calibrate/measured/names.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { bandsFor, basisBands } from "../../forecast/bands/bands.ts";
import type { BandClass, LatencyBands } from "../../forecast/bands/error-band-table.ts";
import type { SetupKey } from "../../forecast/bands/nearest-setup.ts";
import { systemProfileNamed } from "../../hardware/named-profiles.ts";
import type { LeaveOut } from "./leave-out.ts";

/** The ids of a measured point that its setup goes by; null where a name is not known. */
export function setupOf(point: ServingPoint): SetupKey | null {
  const { names } = namesOf(point);
  if (names === null) return null;
  return { model: names.model, device: systemProfileNamed(names.system).device, engine: names.engine };
}

/** The class of forecasts that have not seen what is left out. */
export const classOfLeaveOut: Readonly<Record<Exclude<LeaveOut, null>, BandClass>> = {
  deployment: "validated",
  setup: "setup",
  system: "system",
  model: "model",
  engine: "engine",
  near: "several",
  point: "observed",
  "near-point": "observedFar",
};

/**
 * Bands of the forecast of a measured point: of its setup, or of the class of what is left out. A left-out deployment and one
 * of which a point is given have those of their setup.
 */
export function bandsOfPoint(point: ServingPoint, leaveOut: LeaveOut, observed: boolean): LatencyBands {
  const setup = setupOf(point);
  const of = leaveOut === null ? null : classOfLeaveOut[leaveOut];
  if (setup === null) return basisBands("several");
  if (of === null || of === "validated" || of === "observed") return bandsFor({ ...setup, observed, features: [] });
  return basisBands(of);
}
