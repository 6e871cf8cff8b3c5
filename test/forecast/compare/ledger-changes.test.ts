import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ledgerChanges } from "../../../src/forecast/compare/ledger-changes.ts";
import type { LedgerEntry } from "../../../src/sim/result.ts";

const entry = (topic: string, detail: string, fidelity: LedgerEntry["fidelity"] = "assumed"): LedgerEntry => ({
  topic,
  fidelity,
  detail,
});
const ledger = fc.array(
  fc.record({
    topic: fc.constantFrom("model", "routing", "constructor"),
    fidelity: fc.constantFrom<LedgerEntry["fidelity"]>("assumed", "measured"),
    detail: fc.constantFrom("a", "b", "c"),
  }),
  { maxLength: 8 },
);
const changes = (before: readonly LedgerEntry[], after: readonly LedgerEntry[]) =>
  ledgerChanges({ ledger: before }, { ledger: after });

describe("changes of the ledger", () => {
  test("are entries added, gone and changed, by topic", () => {
    const before = [entry("model", "x"), entry("cost", "2 USD"), entry("old", "o")];
    const after = [entry("model", "x"), entry("cost", "3 USD", "vendor"), entry("new", "n")];
    expect(changes(before, after)).toEqual([
      {
        topic: "cost",
        before: { fidelity: "assumed", detail: "2 USD" },
        after: { fidelity: "vendor", detail: "3 USD" },
      },
      { topic: "old", before: { fidelity: "assumed", detail: "o" }, after: null },
      { topic: "new", before: null, after: { fidelity: "assumed", detail: "n" } },
    ]);
  });

  test("are none of a ledger against itself in another order, and mirror when the two are exchanged", () => {
    fc.assert(
      fc.property(ledger, ledger, (before, after) => {
        expect(changes(before, [...before].reverse())).toEqual([]);
        const there = changes(before, after).map((change) =>
          JSON.stringify([change.topic, change.before, change.after]),
        );
        const back = changes(after, before).map((change) =>
          JSON.stringify([change.topic, change.after, change.before]),
        );
        expect(back.sort()).toEqual(there.sort());
      }),
    );
  });

  test("turn one ledger into the other: what is gone taken out, what is added put in", () => {
    const key = (one: LedgerEntry) => JSON.stringify([one.topic, one.fidelity, one.detail]);
    fc.assert(
      fc.property(ledger, ledger, (before, after) => {
        const left = before.map(key);
        for (const { topic, before: was, after: is } of changes(before, after)) {
          if (was !== null) left.splice(left.indexOf(key({ topic, ...was })), 1);
          if (is !== null) left.push(key({ topic, ...is }));
        }
        expect(left.sort()).toEqual(after.map(key).sort());
      }),
    );
  });
});
