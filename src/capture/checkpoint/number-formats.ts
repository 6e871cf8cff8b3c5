import { fromHalf } from "../../trace/container/half-float.ts";

/** Float32 bits of every half-precision number; its index is the number's own bits. */
const halfBits = new Uint32Array(Float32Array.from({ length: 1 << 16 }, (_half, bits) => fromHalf(bits)).buffer);

/** Every E4M3 number (OCP 8-bit floating point, arXiv 2209.05433): bias 7, no infinities, NaN at all ones. */
const e4m3 = Float32Array.from({ length: 256 }, (_value, bits) => {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 15;
  const fraction = bits & 7;
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return exponent === 0 ? (sign * fraction) / 512 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
});

/** Every E2M1 number (OCP Microscaling Formats 1.0, section 5.3.3). */
const e2m1 = Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6);

/** bfloat16 -> float32: its bits are the upper half. */
export function decodeBfloat16(source: Uint16Array, target: Float32Array, at: number): void {
  const bits = new Int32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[at + i] = source[i]! << 16;
}

export function decodeHalf(source: Uint16Array, target: Float32Array, at: number): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[at + i] = halfBits[source[i]!]!;
}

/** Values [from, to) of `source` in E4M3 times one scale. */
export function decodeE4m3(
  source: Uint8Array,
  from: number,
  to: number,
  scale: number,
  target: Float32Array,
  at: number,
): void {
  for (let i = from; i < to; i++) target[at + i - from] = e4m3[source[i]!]! * scale;
}

/**
 * MXFP4 (OCP Microscaling Formats 1.0): two E2M1 values a byte, the lower half first, 32 values under a scale of 2^(byte - 127).
 * The scale 255 is not a number.
 */
export function decodeMxfp4(blocks: Uint8Array, scales: Uint8Array, target: Float32Array): void {
  for (let block = 0; block < scales.length; block++) {
    const scale = scales[block] === 255 ? Number.NaN : 2 ** (scales[block]! - 127);
    for (let i = 16 * block; i < 16 * (block + 1); i++) {
      const pair = blocks[i]!;
      target[2 * i] = e2m1[pair & 15]! * scale;
      target[2 * i + 1] = e2m1[pair >> 4]! * scale;
    }
  }
}

/** Index of the first value that is infinite or not a number; -1 where all are finite. */
export function firstNonFinite(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & 0x7f80_0000) === 0x7f80_0000) return i;
  return -1;
}
