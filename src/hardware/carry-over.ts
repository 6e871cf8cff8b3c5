import { relativesOf } from "./architectures.ts";
import type { Device } from "./device.ts";

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

/** Share of its nominal bandwidth that the memory of a device was seen to give; null where nobody measured it. */
function givenShare({ achievedBytesPerSecond, memoryBytesPerSecond }: Device): number | null {
  return achievedBytesPerSecond === undefined ? null : achievedBytesPerSecond / memoryBytesPerSecond;
}

/**
 * By how much reading takes longer on a device than a map from `source` says relative to the data sheets: where both memories
 * were measured, the shares that they give are compared. Never less than 1: what is faster on the source stays as measured.
 */
export function carriedReading(source: Device, device: Device): number {
  const [theirs, own] = [givenShare(source), givenShare(device)];
  return theirs === null || own === null ? 1 : Math.max(1, theirs / own);
}

/**
 * Share of the nominal bandwidth that no kernel passes on a device whose maps all come from elsewhere; 1 where that is not
 * known, and where its own maps say what its kernels reach.
 */
export function carriedMemoryShare(device: Device): number {
  const maps = device.kernels?.maps ?? [];
  const carried = maps.length > 0 && maps.every(({ from }) => from !== undefined);
  return carried ? (givenShare(device) ?? 1) : 1;
}
