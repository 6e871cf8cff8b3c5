/** Factors measured / forecast between which a share of the measurements lies. */
export type Band = readonly [low: number, high: number];

/** A band widened (above 1) or narrowed in log space. */
export const scaledBand = ([low, high]: Band, scale: number): Band => [
  Math.exp(Math.log(low) * scale),
  Math.exp(Math.log(high) * scale),
];
