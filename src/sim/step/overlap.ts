/**
 * Time that an exchange adds to computing beside it, ns: what outlasts it, and at least what it slows it down. While it is
 * in flight it takes `share` of the device. Both together last as long as the longer one or longer, and never longer
 * than one after the other.
 */
export function exposedNs(exchangeNs: number, computeNs: number, share: number): number {
  return Math.max(exchangeNs - computeNs, share * exchangeNs);
}
