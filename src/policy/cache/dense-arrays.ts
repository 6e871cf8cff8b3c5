/**
 * Zeroed array for values up to `valueMax`. The narrowest type keeps the tables of a model's experts inside the first
 * level cache, which the replay rate follows (bench/cache-replay.ts).
 */
export function denseArray(length: number, valueMax: number): Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  return valueMax <= 0xffff ? new Uint16Array(length) : new Uint32Array(length);
}

/** Smallest power of two that is at least `size`, so that ring positions wrap with a mask. */
export function ringLength(size: number): number {
  let length = 1;
  while (length < size) length *= 2;
  return length;
}
