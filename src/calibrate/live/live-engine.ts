import { parseEngineProfile } from "../../engine/catalogue.ts";
import { type KernelPart, kernelFormats, kernelParts } from "../../engine/engine-profile.ts";
import type { EngineProfileFile } from "../../engine/profile-schema.ts";
import type { LiveMeasurements } from "../measured/live-measurements.ts";

/** Feed-forward networks: every layer that was measured has one. */
const networks: readonly KernelPart[] = ["dense", "experts"];

/** The runtime of a measured machine as an engine profile: one thing after another, with a fixed time per layer and step. */
export function liveEngine(
  { backend, date }: LiveMeasurements,
  fixed: { readonly layerNs: number; readonly stepNs: number },
): EngineProfileFile {
  const measured = (value: number, what: string) => ({
    value,
    kind: "measured",
    source: `${what}; tfjs ${backend.id} on ${backend.device}, ${date}`,
  });
  const byDesign = <Value>(value: Value) => ({
    value,
    kind: "estimated",
    source: "by design of the runtime: eager execution in one process, no server around it",
  });
  const factor = byDesign(1);
  const profile = {
    id: `tfjs-${backend.id}`,
    name: `tfjs ${backend.id}`,
    version: backend.versions["@tensorflow/tfjs-core"] ?? "unknown",
    stepOverheadNs: measured(fixed.stepNs, "an empty step"),
    sequenceOverheadNs: byDesign(0),
    requestOverheadNs: byDesign(0),
    frontEnds: byDesign(1),
    promptTokenOverheadNs: byDesign(0),
    promptTokenDelayNs: byDesign(0),
    prefillStepOverheadNs: byDesign(0),
    kernelOverheadNs: measured(fixed.layerNs, "a layer without its experts and its router's product"),
    eagerLaunchNs: byDesign(0),
    // Launches are part of the measured times, so nothing waits for them a second time.
    capturesGraphs: byDesign(true),
    // One measured time stands for a layer: its feed-forward counts it, its token mixing none.
    layerKernels: Object.fromEntries(kernelParts.map((part) => [part, byDesign(networks.includes(part) ? 1 : 0)])),
    formatKernels: Object.fromEntries(kernelFormats.map((format) => [format, byDesign(0)])),
    kernelExcess: factor,
    prefillExcess: factor,
    collectiveFactor: factor,
    overlapsSharedExperts: byDesign(false),
    overlapsBatches: byDesign(false),
    expertExchange: { value: "allToAll", kind: "estimated", source: "one device: nothing is exchanged" },
    mixesPrefillWithDecode: byDesign(true),
    caches: {
      windows: byDesign("reserved"),
      chunks: byDesign("reserved"),
      states: byDesign("reserved"),
      statesPerSequence: byDesign(1),
    },
    versions: {},
    defaults: {
      maxBatchTokens: byDesign(512),
      maxSequences: byDesign(64),
      chunkedPrefill: byDesign(true),
      prefixCaching: byDesign(false),
      blockTokens: byDesign(16),
      memoryUtilisation: byDesign(1),
    },
  };
  return parseEngineProfile(profile, profile.id);
}
