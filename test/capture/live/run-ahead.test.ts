import { describe, expect, test } from "vitest";
import { fitLive } from "../../../src/calibrate/live/fit-live.ts";
import { startThreads } from "../../../src/capture/live/ahead/layer-threads.ts";
import { type AheadJob, runAhead } from "../../../src/capture/live/ahead/run-ahead.ts";
import { SentAhead } from "../../../src/capture/live/ahead/sent-ahead.ts";
import type { CallReport, RunOrder } from "../../../src/capture/live/ahead/thread-messages.ts";
import { createBank } from "../../../src/capture/live/expert-bank.ts";
import { planSteps, type StepPlan } from "../../../src/capture/live/step-rows.ts";
import { RandomStream } from "../../../src/core/random.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import {
  type LivePrefetcherName,
  livePrefetch,
  livePrefetchers,
  type SentCounts,
} from "../../../src/validate/live/live-prefetch.ts";
import { type LiveSetting, predictLive } from "../../../src/validate/live/predict-live.ts";
import { measurementsOf } from "../../calibrate/live/measurements.ts";
import { everyOther, further } from "../../drawn.ts";

const shape = { hidden: 16, width: 24, experts: 8 };
const layers = 3;
const topK = 2;

/** Four sequences whose layers follow one another more often than not, so that there is something to learn. */
function tableOf(rows = 96): RoutingTable {
  const stream = new RandomStream(5, "ahead");
  const ids = new Uint8Array(rows * layers * topK);
  for (let row = 0; row < rows; row++) {
    let first = stream.below(shape.experts);
    for (let layer = 0; layer < layers; layer++) {
      ids.set([first, (first + 1 + stream.below(3)) % shape.experts], (row * layers + layer) * topK);
      first = stream.below(4) === 0 ? stream.below(shape.experts) : (first + 3) % shape.experts;
    }
  }
  return {
    experts: shape.experts,
    topK,
    layers,
    rows,
    ids,
    sequenceStarts: Uint32Array.from([0, 24, 48, 72, rows]),
    domains: ["a"],
    domainStarts: Uint32Array.from([0, rows]),
    modelLayers: [0, 1, 2],
    origin: { kind: "synthesised", name: "ahead", digest: "", sourceRows: rows, phase: "unknown", notes: [] },
  };
}

/** A thread without tensors: which experts are there, and which on their way until all is settled. */
class NaiveThread {
  readonly #there = new Set<number>();
  readonly #expected = new Set<number>();

  send(expert: number, instead: number | null): void {
    if (instead !== null) this.#letGo(instead);
    this.#expected.add(expert);
  }

  run({ states, experts, leaving }: Omit<RunOrder, "kind">, chosen: () => void): Promise<CallReport> {
    const late = experts.filter((expert) => this.#expected.has(expert)).length;
    const there = late + experts.filter((expert) => this.#there.has(expert)).length;
    chosen();
    for (const expert of experts) {
      this.#expected.delete(expert);
      this.#there.add(expert);
    }
    for (const expert of leaving) this.#letGo(expert);
    return Promise.resolve({ kind: "done", states, there, late, fetchNs: 0 });
  }

  settle(): Promise<void> {
    for (const expert of this.#expected) this.#there.add(expert);
    this.#expected.clear();
    return Promise.resolve();
  }

  #letGo(expert: number): void {
    this.#there.delete(expert);
    this.#expected.delete(expert);
  }
}

interface Case {
  readonly kind: LivePrefetcherName;
  readonly cache: "lru" | "fifo" | "lfu";
  readonly slots: number;
  readonly batch: number;
}

function settingOf({ kind, cache, slots, batch }: Case): { readonly setting: LiveSetting; readonly plan: StepPlan } {
  const { prefetch, replayed: table } = livePrefetch(kind, tableOf());
  const plan = planSteps(table, batch, 40);
  const { requests, tokensPerRequest } = plan;
  const popularity = new Float64Array(layers * shape.experts);
  const common = { table, shape, cache, slots, from: "host" as const, popularity, batch, requests, tokensPerRequest };
  return { setting: { ...common, prefetch }, plan };
}

async function expectSameCounts(one: Case, threads: AheadJob["threads"]): Promise<SentCounts> {
  const { setting, plan } = settingOf(one);
  let now = 0;
  const { ahead, onDemand } = await runAhead({
    threads,
    table: setting.table,
    plan,
    shape,
    cache: one.cache,
    slots: one.slots,
    prefetch: setting.prefetch!,
    clock: () => now++,
    between: async () => {},
    signal: new AbortController().signal,
  });
  const profile = fitLive(measurementsOf(1));
  const predicted = predictLive(profile, setting);
  const without = predictLive(profile, { ...setting, prefetch: null });
  const { late, ...counts } = ahead.sent;
  const { late: _late, ...predictedCounts } = predicted.sent!;
  expect({ hits: ahead.hits, misses: ahead.misses, ...counts }).toEqual({
    hits: predicted.hits,
    misses: predicted.misses,
    ...predictedCounts,
  });
  expect([onDemand.hits, onDemand.misses, onDemand.sent.followed]).toEqual([without.hits, without.misses, 0]);
  expect(counts.useful + counts.evicted + counts.unused).toBe(counts.followed);
  expect(late).toBeLessThanOrEqual(counts.useful);
  return ahead.sent;
}

const caches = ["lru", "fifo", "lfu"] as const;
const everyCase = livePrefetchers.flatMap((kind) =>
  // With fewer slots than a call has experts, guesses find no room.
  caches.flatMap((cache) => [1, 2, 4].flatMap((slots) => [1, 3].map((batch) => ({ kind, cache, slots, batch })))),
);

describe("experts sent ahead", () => {
  test.each(everyOther(livePrefetchers))("by %s: the simulator counts the same, whatever the cache", async (kind) => {
    const sent: SentCounts[] = [];
    for (const one of everyCase.filter((each) => each.kind === kind))
      sent.push(await expectSameCounts(one, [new NaiveThread(), new NaiveThread()]));
    const total = (count: keyof SentCounts) => sent.reduce((sum, each) => sum + each[count], 0);
    expect(total("followed")).toBeGreaterThan(100);
    expect(total("useful")).toBeGreaterThan(10);
    // Who knows everything sends nothing in vain, unless the call itself has no room for it.
    expect(total("refused")).toBeGreaterThan(0);
  });

  test.each([
    { kind: "perfect", cache: "lru", slots: 2, batch: 3 },
    ...further([{ kind: "layer-markov", cache: "lfu", slots: 4, batch: 1 }] as const),
  ] as const)("on real threads, by $kind", async (one) => {
    const bank = createBank(shape, 5, "host", { shared: true });
    const threads = await startThreads("wasm", settingOf(one).setting, bank);
    try {
      await expectSameCounts(one, threads);
    } finally {
      for (const thread of threads) await thread.close();
      bank.close();
    }
  });

  test("a prefetcher is not run on rows that it learned from", () => {
    const table = tableOf();
    const { prefetch, replayed } = livePrefetch("layer-markov", table);
    expect([prefetch.trainingRows, replayed.rows, prefetch.cut]).toEqual([48, 48, false]);
    expect(livePrefetch("perfect", table).replayed).toBe(table);
    const one = { ...table, rows: 1, sequenceStarts: Uint32Array.from([0, 1]), domainStarts: Uint32Array.from([0, 1]) };
    expect(() => livePrefetch("frequency", one)).toThrow("rows for frequency to learn from");
  });
});

describe("the books of what was sent", () => {
  test("a used one, an evicted one, an unused one and one without room", () => {
    const books = new SentAhead(1, "lru", 2, 3);
    expect(books.follow(0, [5, 6, 7])).toEqual([
      { expert: 5, instead: null },
      { expert: 6, instead: null },
    ]);
    expect(books.call(0, [5, 1])).toEqual({ there: 1, leaving: [6] });
    expect(books.follow(0, [1, 4])).toEqual([{ expert: 4, instead: 5 }]);
    books.end();
    expect(books.counts).toEqual({ followed: 3, useful: 1, evicted: 1, unused: 1, refused: 1 });
  });

  test("no more than the budget is sent, and what is there takes none of it", () => {
    const books = new SentAhead(1, "fifo", 4, 2);
    books.call(0, [0]);
    expect(books.follow(0, [0, 1, 2, 3]).map(({ expert }) => expert)).toEqual([1, 2]);
  });
});
