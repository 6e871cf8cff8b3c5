import { describe, expect, test } from "vitest";
import { sharedTable, tableBytes } from "../../../src/plan/execute/shared-table.ts";
import { TableShelf } from "../../../src/plan/execute/table-shelf.ts";
import type { ThreadReport } from "../../../src/plan/execute/thread-messages.ts";
import { ThreadTables } from "../../../src/plan/execute/thread-tables.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { parametricRouting } from "../../../src/trace/synthesis/parametric-routing.ts";

const table = (bytes: number): RoutingTable => ({ ids: new Uint8Array(bytes) }) as unknown as RoutingTable;
const answers = () => {
  const got: (RoutingTable | null)[] = [];
  return { got, answer: (one: RoutingTable | null) => void got.push(one) };
};

describe("TableShelf", () => {
  test("the first makes a table, the others wait for it and get the same", () => {
    const shelf = new TableShelf();
    const [a, b, c] = [answers(), answers(), answers()];
    shelf.want("k", a, a.answer);
    shelf.want("k", b, b.answer);
    expect([a.got, b.got]).toEqual([[null], []]);
    const made = table(8);
    shelf.made("k", made);
    shelf.want("k", c, c.answer);
    expect(b.got[0]).toBe(made);
    expect(c.got[0]).toBe(made);
    expect(a.got).toEqual([null]);
  });

  test.each(["fails", "is no more"])(
    "where who makes it %s the next one that waits does, and none waits for ever",
    (end) => {
      const shelf = new TableShelf();
      const [a, b, c] = [answers(), answers(), answers()];
      for (const one of [a, b, c]) shelf.want("k", one, one.answer);
      const stop = (one: object) => (end === "fails" ? shelf.made("k", null) : shelf.gone(one));
      stop(a);
      expect([b.got, c.got]).toEqual([[null], []]);
      stop(b);
      expect(c.got).toEqual([null]);
      stop(c);
      const late = answers();
      shelf.want("k", late, late.answer);
      expect(late.got).toEqual([null]);
    },
  );

  test("one that is no more while it waits is not asked to make anything", () => {
    const shelf = new TableShelf();
    const [a, b, c] = [answers(), answers(), answers()];
    for (const one of [a, b, c]) shelf.want("k", one, one.answer);
    shelf.gone(b);
    shelf.gone(a);
    expect([b.got, c.got]).toEqual([[], [null]]);
  });

  test("keeps what was wanted last within its bytes, and one table of any size", () => {
    const shelf = new TableShelf(100);
    const has = (key: string): boolean => {
      const { got, answer } = answers();
      shelf.want(key, got, answer);
      if (got[0] === null) shelf.gone(got);
      return got[0] !== null;
    };
    for (const key of ["a", "b"]) shelf.made(key, table(45));
    expect(has("a")).toBe(true);
    shelf.made("c", table(45));
    expect([has("b"), has("a"), has("c")]).toEqual([false, true, true]);
    shelf.made("large", table(1000));
    expect([has("a"), has("c"), has("large")]).toEqual([false, false, true]);
  });
});

describe("tables of a thread", () => {
  /** A thread whose shelf is asked at once. */
  function thread(shelf: TableShelf): ThreadTables {
    const tables: ThreadTables = new ThreadTables((report: ThreadReport) => {
      if (report.kind === "wants") shelf.want(report.key, tables, (one) => tables.answer(report.key, one));
      else if (report.kind === "made") shelf.made(report.key, report.table);
    });
    return tables;
  }
  const tiny = parametricRouting({ experts: 8, topK: 2, layers: 2, popularity: { skew: 1 }, tokens: 50, seed: 1 });

  test("are made once for all threads, equal what was made, and lie in memory that they share", async () => {
    const shelf = new TableShelf();
    let makings = 0;
    const make = async () => {
      makings += 1;
      return tiny;
    };
    const got = await Promise.all([thread(shelf), thread(shelf), thread(shelf)].map((one) => one.table("k", make)));
    expect(makings).toBe(1);
    for (const one of got) {
      expect(one).toEqual(sharedTable(tiny));
      expect(one.ids.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect([...one.ids]).toEqual([...tiny.ids]);
      expect(tableBytes(one)).toBe(tableBytes(tiny));
    }
  });

  test("what making throws is told to every thread, each of which tried, and is tried again", async () => {
    const shelf = new TableShelf();
    let makings = 0;
    const make = async (): Promise<RoutingTable> => {
      makings += 1;
      throw new Error("no such trace");
    };
    const threads = [thread(shelf), thread(shelf)];
    const ends = await Promise.allSettled(threads.map((one) => one.table("k", make)));
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(makings).toBe(2);
    expect(await threads[0]!.table("k", async () => tiny)).toEqual(sharedTable(tiny));
  });

  test("a thread that asks for more tables than it keeps gets each of them, also twice at a time", async () => {
    const shelf = new TableShelf();
    const one = thread(shelf);
    const keys = [...Array(7).keys(), 0, 3].map(String);
    const got = await Promise.all(keys.map((key) => one.table(key, async () => tiny)));
    expect(got).toHaveLength(keys.length);
  });
});
