import type { LedgerEntry } from "../result.ts";

/** Ledger entries of pools: what holds for all of them once, the rest under the name of its pool. */
export function pooledLedger(
  pools: readonly { readonly name: string | undefined; readonly ledger: readonly LedgerEntry[] }[],
): LedgerEntry[] {
  const isSame = (a: LedgerEntry, b: LedgerEntry) =>
    a.topic === b.topic && a.fidelity === b.fidelity && a.detail === b.detail;
  const inAll = (entry: LedgerEntry) => pools.every(({ ledger }) => ledger.some((other) => isSame(entry, other)));
  return pools.flatMap(({ name, ledger }, pool) =>
    ledger.flatMap((entry) => {
      if (inAll(entry)) return pool === 0 ? [entry] : [];
      return [{ ...entry, topic: `${name}: ${entry.topic}` }];
    }),
  );
}
