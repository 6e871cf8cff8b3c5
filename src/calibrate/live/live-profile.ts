import type { EngineProfileFile } from "../../engine/profile-schema.ts";
import type { DeviceProfile } from "../../hardware/profile-schema.ts";
import type { LiveMeasurements } from "../measured/live-measurements.ts";
import type { FittedLink } from "./fit-link.ts";

/** Profiles of a machine as one backend drives it, fitted to what was measured there. */
export interface LiveProfile {
  readonly measurements: LiveMeasurements;
  /** A device with kernel maps of float32 products and experts, and the link that missing experts come over. */
  readonly device: DeviceProfile;
  /** The runtime: fixed times of a step and of a layer. */
  readonly engine: EngineProfileFile;
  readonly links: {
    /** What a missing expert costs beyond a resident one; the device's host link. */
    readonly fetch: FittedLink;
    readonly hostToDevice: FittedLink | null;
    readonly deviceToHost: FittedLink | null;
    readonly diskWarm: FittedLink | null;
    readonly diskCold: FittedLink | null;
    readonly hostMemory: FittedLink;
  };
}
