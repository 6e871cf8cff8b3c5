import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Calendar } from "../../src/core/calendar.ts";

/** Whole time units, each free or taken. */
class Units {
  private readonly taken = new Set<number>();
  book(asked: number, ns: number): number {
    let at = asked;
    for (let left = ns; left > 0; at++) {
      if (this.taken.has(at)) continue;
      this.taken.add(at);
      left--;
    }
    return at;
  }
}

const work = fc.array(fc.record({ asked: fc.nat(400), ns: fc.nat(30) }), { maxLength: 150 });

describe("a calendar", () => {
  test("gives every piece of work the first free time from when it is asked for", () => {
    fc.assert(
      fc.property(work, (pieces) => {
        const calendar = new Calendar();
        const units = new Units();
        for (const { asked, ns } of pieces) expect(calendar.book(asked, ns)).toBe(units.book(asked, ns));
        expect(calendar.busyNs).toBe(pieces.reduce((sum, { ns }) => sum + ns, 0));
      }),
    );
  });

  test("needs what is over no more", () => {
    fc.assert(
      fc.property(work, (pieces) => {
        const calendar = new Calendar();
        const units = new Units();
        for (const [i, { asked, ns }] of pieces.entries()) {
          calendar.forget(10 * i);
          expect(calendar.book(10 * i + asked, ns)).toBe(units.book(10 * i + asked, ns));
        }
      }),
    );
  });

  test("never serves work sooner for having more of it", () => {
    fc.assert(
      fc.property(work, work, (others, own) => {
        const shared = new Calendar();
        const alone = new Calendar();
        for (const { asked, ns } of others) shared.book(asked, ns);
        for (const { asked, ns } of own) expect(shared.book(asked, ns)).toBeGreaterThanOrEqual(alone.book(asked, ns));
      }),
    );
  });

  test("holds many pieces apart", () => {
    const calendar = new Calendar();
    for (let i = 0; i < 1000; i++) expect(calendar.book(10 * i, 5)).toBe(10 * i + 5);
    // Five units free after each of the first 200 pieces.
    expect(calendar.book(0, 1000)).toBe(2000);
  });
});
