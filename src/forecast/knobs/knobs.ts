import { compute, hostProcessors, memoryBandwidth } from "./device-knobs.ts";
import { hostOverhead, kernelOverhead, requestOverhead } from "./engine-knobs.ts";
import type { Knob } from "./knob.ts";
import {
  diskBandwidth,
  hostLinkBandwidth,
  hostMemoryBandwidth,
  linkLatency,
  scaleOutBandwidth,
  scaleUpBandwidth,
} from "./link-knobs.ts";
import { load, outputLength, promptLength } from "./load-knobs.ts";
import { expertSlots, kvMemory } from "./memory-knobs.ts";
import { popularity } from "./routing-knobs.ts";

/** Numeric inputs of a deployment: hardware, engine, memory, load. */
export const knobs = {
  memoryBandwidth,
  compute,
  scaleUpBandwidth,
  scaleOutBandwidth,
  linkLatency,
  hostLinkBandwidth,
  hostMemoryBandwidth,
  diskBandwidth,
  hostProcessors,
  kernelOverhead,
  hostOverhead,
  requestOverhead,
  kvMemory,
  expertSlots,
  load,
  promptLength,
  outputLength,
  popularity,
} as const satisfies Record<string, Knob>;
export type KnobName = keyof typeof knobs;
