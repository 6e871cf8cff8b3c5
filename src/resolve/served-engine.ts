import type { EngineProfile } from "../engine/engine-profile.ts";
import type { Device } from "../hardware/device.ts";

/** An engine on a device. Figures of its kernels measured there replace those of its profile. */
export function servedEngine(engine: EngineProfile, { served }: Device): EngineProfile {
  const measured = served?.[engine.id];
  if (measured === undefined) return engine;
  const { kernelExcess, mixedDecodeRows } = measured;
  return {
    ...engine,
    ...(kernelExcess === undefined ? {} : { kernelExcess, prefillExcess: kernelExcess }),
    ...(mixedDecodeRows === undefined ? {} : { mixedDecodeRows }),
  };
}
