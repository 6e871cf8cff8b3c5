import { describe, expect, test } from "vitest";
import { InvariantError } from "../../src/core/errors.ts";
import { firstFree } from "../../src/core/first-free.ts";
import { RandomStream } from "../../src/core/random.ts";
import { Resource } from "../../src/core/resource.ts";
import { NaiveResource } from "./naive-resource.ts";

const accounts = (of: Resource | NaiveResource) => ({
  demandBusyNs: of.demandBusyNs,
  backgroundBusyNs: of.backgroundBusyNs,
  bytes: of.bytes,
  demandWaitNs: of.demandWaitNs,
  backgroundWaitNs: of.backgroundWaitNs,
  demands: of.demands,
  chunks: of.chunks,
});

const law = (name: string) => expect.objectContaining({ constructor: InvariantError, law: name });

interface Demand {
  readonly atNs: number;
  readonly ns: number;
}

/** Poisson-like demands, and background work beside them, in order of time. */
function load(random: RandomStream, count: number): { demands: Demand[]; background: Demand[] } {
  const meanGapNs = 5 + random.below(40);
  const draw = () => {
    let atNs = 0;
    return Array.from({ length: count }, () => {
      atNs += random.exponential(meanGapNs);
      return { atNs, ns: random.exponential(12) };
    });
  };
  return { demands: draw(), background: draw() };
}

const chunksEach = 3;

/** Ends of the demands of a resource that is `rate` times as fast. */
function ends(demands: readonly Demand[], background: readonly Demand[], rate = 1, server = new Resource()): number[] {
  let next = 0;
  const submit = (untilNs: number) => {
    for (; next < background.length && background[next]!.atNs <= untilNs; next++)
      server.submit(background[next]!.atNs, chunksEach, background[next]!.ns / rate, 1, next % 3);
  };
  return demands.map(({ atNs, ns }) => {
    submit(atNs);
    return server.demand(atNs, ns / rate, 1);
  });
}

describe("a resource", () => {
  test("serves 400 random loads as one that is run nanosecond by nanosecond", () => {
    let raised = 0;
    let cancelled = 0;
    let taken = 0;
    let delayed = 0;
    for (let load = 0; load < 400; load++) {
      const random = new RandomStream(load, "resource");
      const server = new Resource();
      const naive = new NaiveResource();
      const known: { readonly piece: NaiveResource["pieces"][number]; readonly endNs: number }[] = [];
      const live = new Map<number, NaiveResource["pieces"][number]>();
      const gap = 1 + random.below(30);
      const takeAll = (atNs: number) => {
        naive.advance(atNs);
        for (let id = server.take(atNs); id >= 0; id = server.take(atNs)) {
          expect(live.get(id)!.doneNs).toBeLessThanOrEqual(atNs);
          live.delete(id);
          taken++;
        }
        expect([...live.values()].filter(({ doneNs }) => doneNs <= atNs)).toEqual([]);
      };
      let atNs = 0;
      for (let call = 0; call < 60; call++) {
        atNs += random.below(2) * random.below(gap);
        const kind = random.below(10);
        const chosen = [...live.keys()][random.below(Math.max(1, live.size))];
        if (kind < 4) {
          const ns = random.below(20);
          known.push({ endNs: server.demand(atNs, ns, 7 * ns), piece: naive.demand(atNs, ns, 7 * ns) });
        } else if (kind < 7) {
          const chunks = 1 + random.below(6);
          const chunkNs = random.below(9);
          const priority = random.below(3) - 1;
          const id = server.submit(atNs, chunks, chunkNs, chunks, priority);
          expect(live.has(id)).toBe(false);
          live.set(id, naive.submit(atNs, chunks, chunkNs, chunks, priority));
        } else if (kind === 7 && chosen !== undefined) {
          const piece = live.get(chosen)!;
          naive.raise(atNs, piece);
          known.push({ endNs: server.raise(atNs, chosen), piece });
          live.delete(chosen);
          raised++;
        } else if (kind === 8 && chosen !== undefined) {
          expect(server.cancel(atNs, chosen)).toBe(naive.cancel(atNs, live.get(chosen)!));
          live.delete(chosen);
          cancelled++;
        } else if (kind === 9) takeAll(atNs);
      }
      for (const step of [1, 10, 100, 1000, 10_000]) takeAll(atNs + step);
      expect(live.size).toBe(0);
      expect(known.map(({ endNs }) => endNs)).toEqual(known.map(({ piece }) => piece.doneNs));
      expect(accounts(server)).toEqual(accounts(naive));
      delayed += server.backgroundWaitNs;
    }
    // The loads do what they are for.
    expect(Math.min(raised, cancelled, taken)).toBeGreaterThan(1000);
    expect(delayed).toBeGreaterThan(1000);
  });

  test("without background work is the recursion of a line, float by float", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { demands } = load(new RandomStream(seed, "line"), 300);
      let freeNs = 0;
      const line = demands.map(({ atNs, ns }) => {
        freeNs = Math.max(freeNs, atNs) + ns;
        return freeNs;
      });
      expect(ends(demands, [])).toEqual(line);
    }
  });

  test("delays a demand by one background chunk at most, however much there is", () => {
    for (let seed = 0; seed < 100; seed++) {
      const { demands, background } = load(new RandomStream(seed, "chunk"), 200);
      const longest = Math.max(...background.map(({ ns }) => ns));
      const alone = ends(demands, []);
      const delays = ends(demands, background).map((endNs, i) => endNs - alone[i]!);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(-1e-6);
      expect(Math.max(...delays)).toBeLessThanOrEqual(longest + 1e-6);
    }
  });

  test("twice as fast is never later; with background work, by no more than one chunk", () => {
    for (let seed = 0; seed < 100; seed++) {
      const { demands, background } = load(new RandomStream(seed, "rate"), 200);
      const longest = Math.max(...background.map(({ ns }) => ns)) / 2;
      const latest = (beside: readonly Demand[]) => {
        const slow = ends(demands, beside);
        return Math.max(...ends(demands, beside, 2).map((endNs, i) => endNs - slow[i]!));
      };
      expect(latest([])).toBeLessThanOrEqual(0);
      expect(latest(background)).toBeLessThanOrEqual(longest + 1e-6);
    }
  });

  test("accounts for all that it did and for nothing that was cancelled", () => {
    const server = new Resource();
    const kept = server.submit(0, 4, 10, 100, 0);
    const dropped = server.submit(0, 5, 10, 100, 0);
    expect(server.demand(25, 7, 3)).toBe(37);
    // One chunk of the second piece is in progress from 47 on: four are given back.
    expect(server.cancel(50, dropped)).toBe(4);
    expect(server.take(50)).toBe(kept);
    expect(server.settle(1e9)).toBe(57);
    expect([server.chunks, server.demands, server.busyNs, server.bytes]).toEqual([5, 1, 57, 503]);
    expect([server.backgroundWaitNs, server.demandWaitNs]).toEqual([5, 0]);
  });

  test("runs the chunks of raised work as a demand, behind those before it", () => {
    const server = new Resource();
    const id = server.submit(0, 4, 10, 100, 0);
    expect(server.demand(12, 5, 0)).toBe(25);
    expect(server.raise(13, id)).toBe(45);
    expect([server.demandBusyNs, server.backgroundBusyNs, server.bytes]).toEqual([25, 20, 400]);
    // The demand waits for the chunk; the chunk in progress is raised work of its own, the demand before it is not.
    expect([server.backgroundWaitNs, server.demandWaitNs]).toEqual([8, 5]);
    expect(server.take(100)).toBe(-1);
  });

  test("prefers background work of smaller priority at the next chunk", () => {
    const server = new Resource();
    const late = server.submit(0, 2, 10, 0, 1);
    const soon = server.submit(3, 1, 10, 0, -1);
    expect([server.take(19), server.take(20), server.take(29), server.take(30)]).toEqual([-1, soon, -1, late]);
  });

  test("refuses calls out of order, work of no length and ids that are over", () => {
    const server = new Resource();
    server.demand(10, 5, 0);
    expect(() => server.demand(9, 1, 0)).toThrow(law("resource-order"));
    expect(() => server.settle(NaN)).toThrow(law("resource-order"));
    expect(() => server.demand(10, -1, 0)).toThrow(law("resource-work"));
    expect(() => server.demand(10, Infinity, 0)).toThrow(law("resource-work"));
    expect(() => server.submit(10, 1, 1, NaN, 0)).toThrow(law("resource-work"));
    for (const chunks of [0, 1.5, Infinity])
      expect(() => server.submit(10, chunks, 1, 0, 0)).toThrow(law("resource-work"));
    expect(() => server.submit(10, 1, 1, 0, NaN)).toThrow(law("resource-work"));
    const id = server.submit(10, 1, 1, 0, 0);
    server.cancel(10, id);
    expect(() => server.cancel(10, id)).toThrow(law("resource-work"));
    expect(() => server.raise(10, id + 5)).toThrow(law("resource-work"));
  });

  test("keeps thousands of pieces apart", () => {
    const server = new Resource();
    const random = new RandomStream(1, "many");
    const pieces = Array.from({ length: 5000 }, () => ({ priority: random.below(40), id: 0 }));
    for (const piece of pieces) piece.id = server.submit(0, 1, 1, 0, piece.priority);
    const cancelled = new Set(pieces.filter((_, i) => i % 3 === 0));
    for (const { id } of cancelled) expect(server.cancel(0, id)).toBe(1);
    const order = pieces.filter((piece) => !cancelled.has(piece)).sort((a, b) => a.priority - b.priority);
    expect(order.map((_, i) => server.take(i + 1))).toEqual(order.map(({ id }) => id));
    expect(() => server.raise(1e6, 6000)).toThrow(law("resource-work"));
  });
});

test("of several servers the one that is free first is taken, of equal ones the first", () => {
  const servers = [new Resource(), new Resource(), new Resource()];
  expect(firstFree(servers, 0)).toBe(servers[0]);
  servers[0]!.demand(0, 5, 0);
  servers[1]!.demand(0, 3, 0);
  servers[2]!.submit(0, 1, 4, 0, 0);
  expect(firstFree(servers, 1)).toBe(servers[1]);
  servers[1]!.demand(2, 9, 0);
  expect(firstFree(servers, 2)).toBe(servers[2]);
});

test("who shares a resource learns of the end of his own work alone, once its last chunk has begun", () => {
  const server = new Resource();
  const [first, second] = [server.submit(0, 2, 10, 1, 0), server.submit(0, 1, 5, 1, 0)];
  expect([server.doneNs(0, first), server.doneNs(10, first)]).toEqual([Infinity, Infinity]);
  expect([server.doneNs(11, first), server.doneNs(11, second)]).toEqual([20, Infinity]);
  expect(server.doneNs(30, second)).toBe(25);
  // It stays until its owner ends it.
  expect(server.doneNs(40, first)).toBe(20);
  expect([server.cancel(40, first), server.raise(40, second)]).toEqual([0, 25]);
});
