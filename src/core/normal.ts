import { errorFunction } from "simple-statistics";

/** Probability that a standard normal variable is below z; within 2e-7. */
export const normalCdf = (z: number): number => (1 + errorFunction(z / Math.SQRT2)) / 2;

/** Beyond this the probability of a tail is no longer told from none. */
const zMax = 8;
const halvings = 60;

/** The z below which a standard normal variable lies with a probability from 0 to 1, by bisection. */
export function normalQuantile(p: number): number {
  let [low, high] = [-zMax, zMax];
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
