import type { LedgerEntry } from "../../sim/result.ts";
import type { Forecast } from "../forecast.ts";

/** An entry of the fidelity ledger without its topic. */
export type LedgerStatement = Pick<LedgerEntry, "fidelity" | "detail">;

/** What two results state differently of a topic: null where one of them says nothing more of it. */
export interface LedgerChange {
  readonly topic: string;
  readonly before: LedgerStatement | null;
  readonly after: LedgerStatement | null;
}

/**
 * Entries that stand in one ledger alone, topic by topic in the order of the ledgers. The first of a topic in one is beside the
 * first of it in the other.
 */
export function ledgerChanges(before: Pick<Forecast, "ledger">, after: Pick<Forecast, "ledger">): LedgerChange[] {
  const gone = without(before.ledger, after.ledger);
  const added = without(after.ledger, before.ledger);
  const topics = [...new Set([...before.ledger, ...after.ledger].map(({ topic }) => topic))];
  return topics.flatMap((topic) => {
    const [left, right] = [gone, added].map((entries) => entries.filter((entry) => entry.topic === topic)) as [
      LedgerEntry[],
      LedgerEntry[],
    ];
    return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => ({
      topic,
      before: statement(left[i]),
      after: statement(right[i]),
    }));
  });
}

const statement = (entry: LedgerEntry | undefined): LedgerStatement | null =>
  entry === undefined ? null : { fidelity: entry.fidelity, detail: entry.detail };

/** The entries that are left when each of `others` takes an equal one away. */
function without(entries: readonly LedgerEntry[], others: readonly LedgerEntry[]): LedgerEntry[] {
  const key = ({ topic, fidelity, detail }: LedgerEntry) => JSON.stringify([topic, fidelity, detail]);
  const counts = new Map<string, number>();
  for (const other of others) counts.set(key(other), (counts.get(key(other)) ?? 0) + 1);
  return entries.filter((entry) => {
    const left = counts.get(key(entry)) ?? 0;
    if (left > 0) counts.set(key(entry), left - 1);
    return left === 0;
  });
}
