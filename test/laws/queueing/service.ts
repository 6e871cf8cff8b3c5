import type { RandomStream } from "../../../src/core/random.ts";

/** A distribution of service times with mean 1. */
export interface ServiceTime {
  readonly squaredVariation: number;
  draw(random: RandomStream): number;
}

export const deterministic: ServiceTime = { squaredVariation: 0, draw: () => 1 };

export const exponential: ServiceTime = { squaredVariation: 1, draw: (random) => random.exponential() };

/** Mixture of two exponentials with balanced means: each branch carries half of the work. */
export function hyperexponential(squaredVariation: number): ServiceTime {
  const shareOfFast = (1 + Math.sqrt((squaredVariation - 1) / (squaredVariation + 1))) / 2;
  return {
    squaredVariation,
    draw(random) {
      const fast = random.uniform() < shareOfFast;
      return random.exponential(0.5 / (fast ? shareOfFast : 1 - shareOfFast));
    },
  };
}
