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
  return { latencyNs, bytesPerSecond: 1e9 / nsPerByte, meanError: meanError(rows, latencyNs, nsPerByte) };
}

/**
 * The same among the lines that give `exact` its measured time: what other sizes take may lie on no line with it, and it is
 * the size that will be transferred. Null where it took no time.
 */
export function fitLinkThrough(exact: TransferTime, others: readonly TransferTime[]): FittedLink | null {
  const { bytes, ns } = exact;
  if (!(bytes > 0 && ns > 0)) return null;
  const rows = others.filter((row) => row.bytes > 0 && row.ns > 0 && row.bytes !== bytes);
  // Minimises the sum of ((ns + b (bytes' - bytes)) / ns' - 1)^2.
  let xx = 0;
  let xy = 0;
  for (const row of rows) {
    const x = (row.bytes - bytes) / row.ns;
    xx += x * x;
    xy += x * (1 - ns / row.ns);
  }
  const steepest = ns / bytes;
  const slope = xx > 0 ? xy / xx : steepest;
  // No negative latency; and some time for every byte, or a large transfer would take none.
  const nsPerByte = Math.min(steepest, Math.max(slope, steepest * leastShareOfBytes));
  const latencyNs = ns - nsPerByte * bytes;
  return {
    latencyNs,
    bytesPerSecond: 1e9 / nsPerByte,
    meanError: meanError([exact, ...rows], latencyNs, nsPerByte),
  };
}

/** Share of the measured time that the bytes take at least. */
const leastShareOfBytes = 0.01;

function meanError(rows: readonly TransferTime[], latencyNs: number, nsPerByte: number): number {
  const errors = rows.map(({ bytes, ns }) => Math.abs((latencyNs + nsPerByte * bytes) / ns - 1));
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}
