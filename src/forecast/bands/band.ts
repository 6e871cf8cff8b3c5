/** Factors measured / forecast between which a share of the measurements lies. */
export type Band = readonly [low: number, high: number];

/** A band widened (above 1) or narrowed in log space. */
export const scaledBand = ([low, high]: Band, scale: number): Band => [
  Math.exp(Math.log(low) * scale),
  Math.exp(Math.log(high) * scale),
];

/** The narrowest band that holds all of `bands`. */
export const bandAround = (bands: readonly Band[]): Band => [
  Math.min(...bands.map(([low]) => low)),
  Math.max(...bands.map(([, high]) => high)),
];

/**
 * The band of a forecast with two independent errors: their middles add in log space, their half-widths add as the roots of
 * sums of squares. An error that lies on one side moves the band there.
 */
export function combinedBand(a: Band, b: Band): Band {
  const middle = Math.log(a[0] * a[1] * b[0] * b[1]) / 2;
  const half = Math.hypot(Math.log(a[1] / a[0]), Math.log(b[1] / b[0])) / 2;
  return [Math.exp(middle - half), Math.exp(middle + half)];
}

/** How far from one another the ends of a band are, as a factor on the logarithm. */
export const widthOf = ([low, high]: Band): number => Math.log(high / low);
