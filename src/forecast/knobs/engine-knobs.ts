import type { EngineProfile } from "../../engine/engine-profile.ts";
import { type Knob, withPools } from "./knob.ts";

/** Several times of the engine at once. */
const times = (label: string, keys: readonly (keyof EngineProfile & `${string}Ns`)[], lacks: string): Knob => ({
  label,
  scaled: ({ config }, factor) =>
    withPools(
      config,
      ({ engine }) => {
        if (keys.every((key) => engine[key] === 0)) return null;
        return { engine: { ...engine, ...Object.fromEntries(keys.map((key) => [key, engine[key] * factor])) } };
      },
      lacks,
    ),
});

/** Launch and gap of every kernel. */
export const kernelOverhead = times(
  "kernel overhead",
  ["kernelOverheadNs", "eagerLaunchNs"],
  "the engine's profile has no overhead for kernels",
);

/** What the device waits for the host in every step. */
export const hostOverhead = times(
  "host overhead of steps",
  ["stepOverheadNs", "sequenceOverheadNs", "prefillStepOverheadNs"],
  "the engine's profile has no overhead for steps",
);

/** From a request's arrival until the scheduler sees it. */
export const requestOverhead = times(
  "tokenising and request overhead",
  ["requestOverheadNs", "promptTokenOverheadNs", "promptTokenDelayNs"],
  "the engine's profile has no overhead for requests",
);
