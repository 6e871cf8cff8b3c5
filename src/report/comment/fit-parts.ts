/** What is left out of a text that does not fit, in words. */
export type LeftOut = (parts: number) => string;

/**
 * Whole parts up to so many bytes of UTF-8, in their order: the first are kept, and one that does not fit is left out with what
 * it holds. The sentence that says how many are left out has its room.
 */
export function fitParts(head: string, parts: readonly string[], bytesMax: number, leftOut: LeftOut): string {
  const whole = [head, ...parts].join("");
  if (size(whole) <= bytesMax) return whole;
  let left = bytesMax - size(head) - size(leftOut(parts.length));
  const kept = parts.filter((part) => {
    const fits = size(part) <= left;
    if (fits) left -= size(part);
    return fits;
  });
  return [head, ...kept, leftOut(parts.length - kept.length)].join("");
}

const size = (text: string): number => Buffer.byteLength(text);
