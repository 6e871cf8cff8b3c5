/** Smallest half-precision number, 2^-24. */
const halfUlpMin = 1 / 16_777_216;
const bits = new DataView(new ArrayBuffer(8));

/** IEEE half-precision bits -> number. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * halfUlpMin;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  // The single-precision bits of the same number: exponent bias 127 instead of 15, 13 more fraction bits.
  bits.setUint32(0, ((exponent + 112) << 23) | (fraction << 13));
  return sign * bits.getFloat32(0);
}

/** Number -> IEEE half-precision bits, to nearest, ties to even; what is too large becomes infinite. */
export function toHalf(value: number): number {
  bits.setFloat64(0, value);
  const sign = (bits.getUint8(0) & 0x80) << 8;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(((bits.getUint16(0) >> 4) & 0x7ff) - 1023, -14);
  // Units of the last place at this exponent; a carry out of the fraction lands in the exponent field by itself.
  bits.setUint32(0, (127 + 10 - exponent) << 23);
  const units = roundHalfEven(size * bits.getFloat32(0));
  return sign | (((exponent + 14) << 10) + units);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
