/**
 * Time that an exchange adds to computing beside it, ns: what outlasts it, and at least what it takes away from it. With
 * `takenNs` between 0 and `exchangeNs`, both together last at least as long as the longer one, and never longer than one
 * after the other.
 */
export function exposedNs(exchangeNs: number, computeNs: number, takenNs: number): number {
  return Math.max(exchangeNs - computeNs, takenNs);
}
