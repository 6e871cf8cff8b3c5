const multiplier0 = 0xd2511f53 | 0;
const multiplier1 = 0xcd9e8d57 | 0;
const weyl0 = 0x9e3779b9 | 0;
const weyl1 = 0xbb67ae85 | 0;

/**
 * Philox4x32-10: enciphers the 128-bit counter c0..c3 under a 64-bit key into the 128 random bits of `block` (Salmon et
 * al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11). Counter and key words are taken modulo 2^32.
 */
export function philox4x32(
  block: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
): void {
  let x0 = c0 | 0;
  let x1 = c1 | 0;
  let x2 = c2 | 0;
  let x3 = c3 | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(x0, multiplier0 >>> 16, multiplier0 & 0xffff);
    const high1 = multiplyHigh(x2, multiplier1 >>> 16, multiplier1 & 0xffff);
    const low0 = Math.imul(x0, multiplier0);
    const low1 = Math.imul(x2, multiplier1);
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  block[0] = x0;
  block[1] = x1;
  block[2] = x2;
  block[3] = x3;
}

/** High 32 bits of the unsigned product of `a` and `bHigh * 2^16 + bLow`; no partial sum exceeds 32 bits. */
function multiplyHigh(a: number, bHigh: number, bLow: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const upper = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const lower = (Math.imul(aLow, bHigh) + (upper & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (upper >>> 16) + (lower >>> 16)) | 0;
}
