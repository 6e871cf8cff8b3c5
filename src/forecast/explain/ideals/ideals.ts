import { compute, memoryBandwidth } from "../../knobs/device-knobs.ts";
import { hostOverhead, kernelOverhead, requestOverhead } from "../../knobs/engine-knobs.ts";
import { load, promptLength } from "../../knobs/load-knobs.ts";
import { kvMemory } from "../../knobs/memory-knobs.ts";
import { perfectBalance, residentExperts } from "./experts.ts";
import { type Ideal, knobsAt, unlimited } from "./ideal.ts";
import { freeDisk, freeExchange, freeHandover, freeHost, freeHostLink } from "./links.ts";

/** Resources that are made free, one at a time. */
export const ideals = {
  perfectBalance,
  residentExperts,
  freeExchange,
  freeHandover,
  freeHostLink,
  freeDisk,
  freeHost,
  infiniteMemory: {
    label: "device memory is infinitely fast",
    change: knobsAt([memoryBandwidth, unlimited]),
  },
  infiniteCompute: { label: "arithmetic takes no time", change: knobsAt([compute, unlimited]) },
  noKernelOverhead: { label: "kernels are launched in no time", change: knobsAt([kernelOverhead, 0]) },
  noHostOverhead: { label: "the host adds nothing to steps", change: knobsAt([hostOverhead, 0]) },
  noRequestOverhead: { label: "requests are taken in and tokenised in no time", change: knobsAt([requestOverhead, 0]) },
  twiceKv: { label: "KV caches have twice the memory", change: knobsAt([kvMemory, 2]) },
  shortPrompts: { label: "every prompt is a single token", change: knobsAt([promptLength, 1 / unlimited]) },
  halfLoad: { label: "half the load", change: knobsAt([load, 0.5]) },
} as const satisfies Record<string, Ideal>;
export type IdealName = keyof typeof ideals;
