/**
 * Zeroed array for values up to `valueMax`, of the narrowest type: the tables of a model's experts then stay inside the
 * first level cache. The replay rate follows that (bench/cache-replay.ts).
 */
export function denseArray(length: number, valueMax: number): Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  return valueMax <= 0xffff ? new Uint16Array(length) : new Uint32Array(length);
}

/** Smallest power of two that is at least `size`: ring positions then wrap with a mask. */
export function ringLength(size: number): number {
  let length = 1;
  while (length < size) length *= 2;
  return length;
}
