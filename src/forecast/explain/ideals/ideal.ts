import type { SimConfig } from "../../../sim/config.ts";
import type { Knob, Turned } from "../../knobs/knob.ts";

/** A resource of a deployment made free, which nobody can buy: what it would be worth says where to look. */
export interface Ideal {
  /** What would be so, such as `links between devices take no time`. */
  readonly label: string;
  /** The deployment with it, on the same draws; in words why it does not apply. Pure. */
  change(turned: Turned): SimConfig | string;
}

/** So many times as fast takes no time that shows: a second becomes a microsecond. */
export const unlimited = 1e6;

/** Several knobs at once: those that the deployment has; where it has none, the reason of the first. */
export const knobsAt =
  (...settings: readonly (readonly [Knob, number])[]): Ideal["change"] =>
  (turned) => {
    let config: SimConfig | null = null;
    let reason: string | null = null;
    for (const [knob, factor] of settings) {
      const next = knob.scaled({ ...turned, config: config ?? turned.config }, factor);
      if (typeof next === "string") reason ??= next;
      else config = next;
    }
    return config ?? reason ?? "nothing of it is there";
  };
