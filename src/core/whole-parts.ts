/**
 * Shares out a whole number over parts that are not whole, in proportion: every result is a whole number, none is negative, and
 * together they are `total`. Each is within one of its exact share, because sums from the first part on are rounded and not the
 * parts. Negative parts count as none; where all are, the part `rest` gets everything.
 */
export function wholeParts(parts: ArrayLike<number>, total: number, rest = 0): Float64Array {
  const whole = new Float64Array(parts.length);
  let sum = 0;
  let last = -1;
  for (let i = 0; i < parts.length; i++)
    if (parts[i]! > 0) {
      sum += parts[i]!;
      last = i;
    }
  if (last < 0) {
    if (parts.length > 0) whole[rest] = total;
    return whole;
  }
  let upTo = 0;
  let given = 0;
  for (let i = 0; i <= last; i++) {
    if (!(parts[i]! > 0)) continue;
    upTo += parts[i]!;
    const until = i === last ? total : Math.min(total, Math.round(total * (upTo / sum)));
    whole[i] = until - given;
    given = until;
  }
  return whole;
}
