/** Slots of a part of a cache, rounded down, but never none: caches of experts are small. */
export function shareSlots(capacity: number, share: number): number {
  return Math.max(1, Math.floor(capacity * share));
}
