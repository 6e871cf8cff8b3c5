/** Values are sorted by 16 bits at a time. */
const digits = 65_536;

/**
 * Places of values in ascending order, equal ones in theirs; those of NaN come last. Values must not be below 0: the bits of such
 * doubles order as they do. Four counting passes over the digits of the bits, in linear time.
 */
export function radixOrder(values: Float64Array): { readonly order: Uint32Array; readonly known: number } {
  const { length } = values;
  let from = new Uint32Array(length);
  let known = 0;
  for (let i = 0; i < length; i++) if (!Number.isNaN(values[i]!)) from[known++] = i;
  const order = new Uint32Array(length);
  let rest = known;
  for (let i = 0; i < length; i++) if (Number.isNaN(values[i]!)) order[rest++] = i;
  // The halves of each double, the low one first as on every platform that this runs on.
  const halves = new Uint32Array(values.buffer, values.byteOffset, 2 * length);
  const ends = new Uint32Array(digits);
  let to = new Uint32Array(known);
  for (let pass = 0; pass < 4; pass++) {
    const half = pass >> 1;
    const shift = 16 * (pass & 1);
    ends.fill(0);
    for (let i = 0; i < known; i++) ends[(halves[2 * from[i]! + half]! >>> shift) & (digits - 1)]!++;
    // Digits that are all alike order nothing: those of whole numbers mostly are.
    if (known === 0 || ends[(halves[2 * from[0]! + half]! >>> shift) & (digits - 1)] === known) continue;
    let sum = 0;
    for (let digit = 0; digit < digits; digit++) {
      const count = ends[digit]!;
      ends[digit] = sum;
      sum += count;
    }
    for (let i = 0; i < known; i++) {
      const place = from[i]!;
      to[ends[(halves[2 * place + half]! >>> shift) & (digits - 1)]!++] = place;
    }
    [from, to] = [to, from];
  }
  order.set(from.subarray(0, known));
  return { order, known };
}
