/** A transfer of so many bytes, and what it took. */
export interface TransferTime {
  readonly bytes: number;
  readonly ns: number;
}

/** latencyNs + bytes / bytesPerSecond, with the mean of its relative errors on what it was fitted to. */
export interface FittedLink {
  readonly latencyNs: number;
  readonly bytesPerSecond: number;
  readonly meanError: number;
}

/**
 * The line through measured transfers that has the least squared relative error and no negative latency; null without a
 * transfer that took time. One size alone gives a bandwidth.
 */
export function fitLink(transfers: readonly TransferTime[]): FittedLink | null {
  const rows = transfers.filter(({ bytes, ns }) => bytes > 0 && ns > 0);
  if (rows.length === 0) return null;
  // Minimises the sum of (a / ns + b bytes / ns - 1)^2.
  let aa = 0;
  let ab = 0;
  let bb = 0;
  let a1 = 0;
  let b1 = 0;
  for (const { bytes, ns } of rows) {
    const x = 1 / ns;
    const y = bytes / ns;
    aa += x * x;
    ab += x * y;
    bb += y * y;
    a1 += x;
    b1 += y;
  }
  const determinant = aa * bb - ab * ab;
  // Sizes too alike to tell latency from bandwidth make the determinant vanish against its terms.
  let latencyNs = determinant > 1e-9 * aa * bb ? (a1 * bb - b1 * ab) / determinant : 0;
  let nsPerByte = (b1 - latencyNs * ab) / bb;
  if (latencyNs < 0 || nsPerByte <= 0) {
    latencyNs = 0;
    nsPerByte = b1 / bb;
  }
  const errors = rows.map(({ bytes, ns }) => Math.abs((latencyNs + nsPerByte * bytes) / ns - 1));
  return {
    latencyNs,
    bytesPerSecond: 1e9 / nsPerByte,
    meanError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
  };
}
