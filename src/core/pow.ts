const bits = new DataView(new ArrayBuffer(8));

/** Splits a double into halves of 26 bits whose products are exact (Dekker 1971). */
const splitter = 2 ** 27 + 1;
/** 1 / ln 2, ln 2 and 1 / 3, each as the sum of two doubles. */
const log2eHigh = Math.LOG2E;
const log2eLow = 2.0355273740931033e-17;
const ln2High = Math.LN2;
const ln2Low = 2.3190468138462996e-17;
const thirdHigh = 1 / 3;
const thirdLow = 1.850371707708594e-17;
/** Beyond this exponent every base but 1 over- or underflows. */
const exponentLimit = 2 ** 64;

/** Coefficients 1 / (2k + 1) of atanh for k = 2..14 and 1 / k! of exp for k = 3..14, highest first. */
const atanhSeries = Float64Array.from({ length: 13 }, (_, i) => 1 / (2 * (14 - i) + 1));
const expSeries = Float64Array.from({ length: 12 }, (_, i) => 1 / factorial(14 - i));

/**
 * x to the power y, with the special cases of Math.pow. Uses only + - * / and bit operations, so that every engine
 * gives the same bits, which Math.pow and ** do not (Node 20 and 24 differ). The base-2 logarithm and its product
 * with y are carried in two doubles; normal results are within one unit in the last place.
 */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  const magnitude = x < 0 ? -x : x;
  if (y === Infinity || y === -Infinity) {
    if (magnitude === 1) return NaN;
    return magnitude > 1 === y > 0 ? Infinity : 0;
  }
  const odd = Math.abs(y) % 2 === 1;
  if (x === 0 || magnitude === Infinity) {
    const size = (x === 0) === y > 0 ? 0 : Infinity;
    return odd && (x < 0 || Object.is(x, -0)) ? -size : size;
  }
  if (x < 0 && y !== Math.floor(y)) return NaN;
  const size = magnitude === 1 ? 1 : positivePower(magnitude, Math.max(-exponentLimit, Math.min(exponentLimit, y)));
  return odd && x < 0 ? -size : size;
}

/** For finite x > 0, x not 1, and |y| <= 2^64. */
function positivePower(x: number, y: number): number {
  // x = m * 2^e with m between sqrt(1/2) and sqrt(2).
  let e = 0;
  let m = x;
  if (m < 2 ** -1022) {
    m *= 2 ** 54;
    e = -54;
  }
  bits.setFloat64(0, m);
  const top = bits.getUint32(0);
  e += (top >>> 20) - 1023;
  bits.setUint32(0, (top & 0xfffff) | 0x3ff00000);
  m = bits.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    e += 1;
  }

  // ln m = 2 atanh s, s = (m - 1) / (m + 1) as s + sLow; m - 1 is exact.
  const sum = m + 1;
  const sumLow = 1 - (sum - m) + (m - (sum - (sum - m)));
  const s = (m - 1) / sum;
  const product = s * sum;
  const sLow = (m - 1 - product - productError(s, sum, product) - s * sumLow) / sum;
  const square = s * s;
  const cube = square * s;
  const cubeLow = productError(square, s, cube) + productError(s, s, square) * s;
  const third = cube * thirdHigh;
  const thirdRest = productError(cube, thirdHigh, third) + cube * thirdLow + cubeLow * thirdHigh;
  let series = 0;
  for (let i = 0; i < atanhSeries.length; i++) series = series * square + atanhSeries[i]!;
  const half = s + third;
  const ln = 2 * half;
  const lnRest = 2 * (s - half + third + (sLow / (1 - square) + thirdRest + cube * square * series));

  // log2 x = e + ln m / ln 2, in two doubles.
  const scaled = ln * log2eHigh;
  const scaledLow = productError(ln, log2eHigh, scaled) + ln * log2eLow + lnRest * log2eHigh;
  const log = e + scaled;
  const logLow = (e === 0 ? 0 : e - log + scaled) + scaledLow;

  // y * log2 x = n + f, |f| <= 1/2; then 2^f = exp(f ln 2).
  const target = y * log;
  if (target > 1025) return Infinity;
  if (target < -1080) return 0;
  const targetLow = productError(y, log, target) + y * logLow;
  const n = Math.round(target);
  const f = target - n + targetLow;
  const fLow = target - n - f + targetLow;
  const r = f * ln2High;
  const rLow = productError(f, ln2High, r) + f * ln2Low + fLow * ln2High;
  let tail = 0;
  for (let i = 0; i < expSeries.length; i++) tail = tail * r + expSeries[i]!;
  const rSquare = r * r;
  const linear = 1 + r;
  const quadratic = linear + rSquare / 2;
  const rest = 1 - linear + r + (linear - quadratic + rSquare / 2) + productError(r, r, rSquare) / 2 + rLow;
  return scale(quadratic + (tail * rSquare * r + rest), n);
}

/** The rounding error of `product`, the rounded product of a and b. */
function productError(a: number, b: number, product: number): number {
  const aSplit = splitter * a;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = splitter * b;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** x * 2^n, in two steps so that neither factor leaves the range. */
function scale(x: number, n: number): number {
  const half = n >> 1;
  return x * powerOfTwo(half) * powerOfTwo(n - half);
}

function powerOfTwo(n: number): number {
  bits.setUint32(0, (n + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}
