import type { Device } from "./device.ts";
import type { EngineProfile } from "./engine-profile.ts";

/** An engine on a device: what was measured of its kernels there takes the place of what its profile says of all. */
export function servedEngine(engine: EngineProfile, { served }: Device): EngineProfile {
  const measured = served?.[engine.id];
  if (measured === undefined) return engine;
  const { kernelFactor, mixedDecodeRows } = measured;
  return {
    ...engine,
    ...(kernelFactor === undefined ? {} : { kernelFactor, prefillFactor: kernelFactor }),
    ...(mixedDecodeRows === undefined ? {} : { mixedDecodeRows }),
  };
}
