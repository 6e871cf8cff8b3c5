import { own } from "../core/own.ts";
import { plain } from "../core/sourced.ts";
import type { EngineProfile } from "./engine-profile.ts";
import type { EngineProfileFile } from "./profile-schema.ts";

/** Where a profile says nothing of caches, the engine keeps them in one pool. */
const onePool = { windows: "shared", chunks: "shared", states: "shared", statesPerSequence: 1 } as const;

/** What a profile need not say of an engine's offload. */
const plainOffload = { hostCallNs: 0, besideDevices: false, devicePromptTokens: null, deferredExpertsMax: 0 } as const;

/** The engine of a profile, sources dropped, in a version if one is given. */
export function resolveEngine(profile: EngineProfileFile, version?: string): EngineProfile {
  const { defaults, offload, ...stated } = plain(profile);
  const engine: EngineProfile = {
    caches: onePool,
    frontEnds: 1,
    promptTokenDelayNs: 0,
    sparseDenseTokens: 0,
    schedulesAhead: false,
    handover: null,
    reservesContext: false,
    embedsOnHost: false,
    reservesLogits: false,
    offload: offload === undefined ? null : { ...plainOffload, ...offload },
    ...stated,
    defaults: { recvInterval: 1, ...defaults },
  };
  return version === undefined ? engine : engineOfVersion(engine, version);
}

/** Front ends that an engine starts for a replica by default. */
export function defaultFrontEnds({ frontEnds }: EngineProfile, dataParallel: number): number {
  return frontEnds === "perDataParallelRank" ? dataParallel : frontEnds;
}

/** An engine in one version, its factors applied. A version without factors keeps the figures of all versions. */
export function engineOfVersion(engine: EngineProfile, version: string): EngineProfile {
  const factors = own(engine.versions, version);
  const { kernels, overheads, prefill } = factors ?? { kernels: 1, overheads: 1, prefill: 1 };
  return {
    ...engine,
    version,
    kernelExcess: engine.kernelExcess * kernels,
    prefillExcess: engine.prefillExcess * kernels * prefill,
    kernelOverheadNs: engine.kernelOverheadNs * overheads,
    stepOverheadNs: engine.stepOverheadNs * overheads,
  };
}
