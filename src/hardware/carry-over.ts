import { relativesOf } from "./architectures.ts";

/**
 * Exponent with which the time of a kernel above its ideal follows the ratio of the ideal times of two devices: filling
 * and draining of processors that are alike takes as long at other peaks; between architectures, and between chips of one
 * architecture that differ in size, it follows them in part. Chosen among 0, 1/4, 1/2, 3/4 and 1 on measured kernels that
 * were left out: between H100 and H200 0 halves the errors of 1 in every family (mean 8 to 11 % for 12 to 29 %); between
 * architectures 1/2 has the least bias (A100, L40S, H200 and B200 from one another).
 */
export const excessExponents = { relative: 0, stranger: 0.5 } as const;

/** The exponent from the device `from` to the device `to`. */
export const excessExponent = (from: string, to: string): number =>
  excessExponents[relativesOf(to).includes(from) ? "relative" : "stranger"];

/** Time above the ideal, ns, of a kernel on a device where its ideal time is `ownIdealNs`; measured where it is `idealNs`. */
export function carriedExcess(excessNs: number, idealNs: number, ownIdealNs: number, exponent: number): number {
  return exponent === 0 || excessNs === 0 ? excessNs : excessNs * Math.exp(exponent * Math.log(ownIdealNs / idealNs));
}
