import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { formatCount } from "../../../src/core/units.ts";
import { makePalette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import type { PrefetchCounts } from "../../../src/sim/result.ts";
import { type CacheState, cacheScreen } from "../../../src/tui/screens/cache.ts";
import { prefetchParts } from "../../../src/tui/screens/cache-overview.ts";
import { layerHits } from "../../../src/tui/screens/cache-plots.ts";
import { slotRangeOf } from "../../../src/tui/screens/cache-pool.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { drawn } from "../../drawn.ts";
import { acted, coreOf, type EndedRun, endedRun } from "./ended-run.ts";

const actions = ["up", "down", "left", "right", "pageUp", "pageDown", "first", "last", "show", "pool"];
const prefetch: PrefetchCounts = {
  kind: "popular\u001b[31m",
  followed: 100,
  useful: 60,
  late: 20,
  evicted: 15,
  preempted: 5,
  unused: 20,
  refused: 3,
  bytes: 1e9,
  wastedBytes: 4e8,
  lateNs: 1e6,
};
let cached: EndedRun;

beforeAll(async () => {
  cached = await endedRun("scenarios/offload-4090.yaml", ["traffic.requests=6"]);
}, 60_000);

const stateOf = (own: unknown) => own as CacheState;
const view = (
  run: Parameters<typeof coreOf>[0],
  size: { width: number; height: number },
  acts: readonly string[] = [],
) => {
  const core = coreOf(run, size);
  return cacheScreen.view(acted(cacheScreen, core, acts), core, bodyArea(size), plainPalette);
};
const small = { width: 80, height: 24 };

describe("figures", () => {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

  test("accesses, misses and first uses by layer are those of the run", () => {
    const rows = layerHits(cached.details.caches[0]!);
    const { accesses, misses } = cached.forecast.cache!;
    expect(sum(rows.map((row) => row.accesses))).toBe(accesses);
    expect(sum(rows.map((row) => row.misses))).toBe(misses);
    for (const { accesses: asked, misses: missed, cold } of rows) {
      expect(missed).toBeLessThanOrEqual(asked);
      expect(cold).toBeLessThanOrEqual(missed);
    }
  });

  test("what was sent ahead is counted once", () => {
    expect(sum(prefetchParts(prefetch).map(([, count]) => count))).toBe(prefetch.followed);
  });

  test("waiting by cause is all waiting", () => {
    const { stallBy, stallNs } = cached.forecast.cache!;
    expect(sum(Object.values(stallBy!))).toBeCloseTo(stallNs, 0);
  });
});

describe("layers that differ", () => {
  const unequal = () => {
    const details = { ...cached.details, caches: [{ ...cached.details.caches[0]!, unequal: true }] };
    const offload = "by --n-cpu-moe 2: 0 to 8 of 8 experts a layer, as listed";
    const forecast = { ...cached.forecast, deployment: { ...cached.forecast.deployment, offload } };
    return { ...cached, details, forecast };
  };

  test("the fewest and the most slots are read where they differ", () => {
    expect(slotRangeOf("by --n-cpu-moe 2: 0 to 32 of 32 experts a layer, as listed")).toEqual({ least: 0, most: 32 });
    expect(slotRangeOf("4 to 4 of 8 experts a layer by dp")).toBeNull();
    expect(slotRangeOf("lru, 5 of 8 experts a layer")).toBeNull();
    expect(slotRangeOf(null)).toBeNull();
  });

  test("are named with both, and the curve says that it has as many in every layer", () => {
    const lines = view(unequal(), small, ["show"]).join(" ").replace(/\s+/g, " ");
    expect(lines).toContain("lru, 0 to 8 slots a layer for 8 experts");
    expect(lines).toContain("the same in all layers");
    expect(lines).toContain("as many in every layer (here 0 to 8)");
    expect(lines).not.toMatch(/in use|Belady/);
  });

  test("of a saved result are named too, and of a run that goes on by their mean", () => {
    const { forecast, details } = unequal();
    expect(view({ stand: "loaded", forecast }, small)[0]).toContain("0 to 8 slots a layer");
    const soFar = {
      ...cached.begun,
      pools: cached.begun.pools.map((pool) => ({ ...pool, cacheDetails: details.caches[0]! })),
    };
    expect(view({ stand: "running", snapshot: cached.snapshot, soFar }, small)[0]).toContain(
      "5 slots a layer in the mean",
    );
  });
});

describe("a slot more", () => {
  const words = (freeBytes: number) => {
    const tiers = cached.forecast.memory.tiers.map((tier, i) =>
      i === 0 ? { ...tier, usedBytes: tier.capacityBytes - freeBytes } : tier,
    );
    const forecast = { ...cached.forecast, memory: { ...cached.forecast.memory, tiers } };
    return view({ ...cached, forecast }, { width: 120, height: 40 }, ["show"])
      .join(" ")
      .replace(/\s+/g, " ");
  };

  test("says whether it has room", () => {
    expect(words(2 ** 30)).toMatch(/one more: .* on each device \(does not fit: 1 GiB free/);
    expect(words(64 * 2 ** 30)).toMatch(
      /one more: .* on each device \(64 GiB free, what the engine keeps back included/,
    );
  });

  test("and the names of the curve are whole at 120 columns", () => {
    const lines = view(cached, { width: 120, height: 40 }).join("\n");
    expect(lines).toMatch(/\* LRU {2}o 5 in use .*Belady {2}- at best 99%/);
  });
});

describe("state", () => {
  test("a size stays on the curve, a row among the layers", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...actions), { maxLength: 40 }), fc.boolean(), (acts, wide) => {
        const core = coreOf(cached, wide ? { width: 120, height: 40 } : small);
        const own = stateOf(acted(cacheScreen, core, acts));
        const { layers, lru } = cached.details.caches[0]!;
        expect(own.row).toBeGreaterThanOrEqual(0);
        expect(own.row).toBeLessThan(layers);
        if (own.slots !== null) {
          expect(own.slots).toBeGreaterThanOrEqual(0);
          expect(own.slots).toBeLessThan(lru!.hits.length);
        }
      }),
      { numRuns: drawn(100) },
    );
  });

  test("the ends of the curve are no slots and all", () => {
    const slots = (action: string) =>
      stateOf(acted(cacheScreen, coreOf(cached), new Array<string>(30).fill(action))).slots;
    expect(slots("left")).toBe(0);
    expect(slots("right")).toBe(cached.details.caches[0]!.lru!.hits.length - 1);
  });

  test("the key goes round", () => {
    const shown = (times: number) =>
      stateOf(acted(cacheScreen, coreOf(cached), new Array<string>(times).fill("show"))).show;
    expect([0, 1, 2, 3, 4].map(shown)).toEqual(["overview", "sizes", "time", "layers", "overview"]);
  });
});

describe("what cannot be shown is said", () => {
  const missing = (run: Parameters<typeof coreOf>[0]) => cacheScreen.missing!(coreOf(run));

  test("no run, no cache, a run that failed", () => {
    expect(missing(null)).toMatch(/No run yet/);
    expect(missing({ forecast: { ...cached.forecast, cache: null } })).toMatch(/policy\.offload/);
    expect(missing({ stand: "running", snapshot: { ...cached.snapshot, cache: null } })).toMatch(/policy\.offload/);
    expect(missing({ stand: "failed", message: "no" })).toMatch(/failed/);
    expect(missing(cached)).toBeNull();
  });

  test("a run that goes on has its hits so far", () => {
    const run = { stand: "running", snapshot: cached.snapshot } as const;
    expect(missing(run)).toBeNull();
    const { accesses } = cached.snapshot.cache!;
    expect(view(run, small).join("\n")).toContain(`of ${formatCount(accesses)} accesses`);
    expect(cacheScreen.act(cacheScreen.start, "show", coreOf(run), small).own).toBeUndefined();
  });

  test("a saved result has its figures and says what it lacks", () => {
    const lines = view({ stand: "loaded", forecast: cached.forecast }, small).join("\n");
    expect(lines).toContain("optimum (Belady)");
    expect(lines).toContain("a saved result keeps figures alone");
    expect(lines).toContain("first uses are not told from the rest");
    expect(lines).not.toContain("cold");
  });

  test("a run of the session whose details are gone says so, and not that it was saved", () => {
    const lines = view({ stand: "done", forecast: cached.forecast }, small).join("\n");
    expect(lines).toContain("its details are not kept any more");
    expect(lines).not.toContain("saved");
  });

  test("a run that goes on is shown as one that ended, without what is replayed at its end", () => {
    const run = { stand: "running", snapshot: cached.snapshot, soFar: cached.begun } as const;
    const lines = view(run, small);
    expect(lines[0]).toMatch(/^so far, running {2}lru, 5 slots a layer for 8 experts/);
    expect(lines.join("\n")).toContain(`of ${formatCount(cached.begun.pools[0]!.cache!.accesses)} accesses hit`);
    expect(lines.join("\n")).toContain("cold misses");
    expect(lines.join("\n")).not.toMatch(/optimum|not recorded/);
    expect(view(run, small, ["show"]).join("\n")).toContain("when the run has ended");
    expect(view(run, small, ["show", "show", "show"]).join("\n")).toContain("L0");
    expect(view(cached, small)[0]).not.toContain("so far");
  });

  test("a cache that nobody asked so far has no rate", () => {
    const pools = cached.begun.pools.map((pool) => ({ ...pool, cache: { ...pool.cache!, accesses: 0, hits: 0 } }));
    const lines = view({ stand: "running", snapshot: cached.snapshot, soFar: { ...cached.begun, pools } }, small);
    expect(lines.join("\n")).not.toContain("NaN");
    expect(lines.join("\n")).toContain("hits so far");
  });

  test("accesses that were not recorded have no curve", () => {
    const details = { ...cached.details, caches: [{ ...cached.details.caches[0]!, lru: null }] };
    const forecast = { ...cached.forecast, cache: { ...cached.forecast.cache!, reference: null } };
    const lines = view({ forecast, details }, small, ["show"]).join("\n");
    expect(lines).toContain("not recorded");
  });
});

test("what is sent ahead is shown where there is a prefetcher", () => {
  const forecast = { ...cached.forecast, cache: { ...cached.forecast.cache!, prefetch } };
  const lines = view({ ...cached, forecast }, { width: 80, height: 60 }).join("\n");
  expect(lines).toContain("100 sent ahead");
  expect(lines).toContain("60.0% were used");
  expect(lines).toContain("nothing sent ahead");
  expect(view(cached, { width: 80, height: 60 }).join("\n")).not.toContain("sent ahead");
});

describe("frames", () => {
  test("never leave their room, whatever is shown, and hostile names are inert", () => {
    const hostile = {
      ...cached.forecast,
      cache: { ...cached.forecast.cache!, policy: "l\u001b[2Jru\n\u202e漢", prefetch, stallBy: { "disk\u0007": 1e9 } },
    };
    const palettes = [plainPalette, makePalette({ depth: "256", unicode: true })];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.constantFrom(...actions), { maxLength: 6 }),
        fc.constantFrom<Parameters<typeof coreOf>[0]>(
          { ...cached, forecast: hostile },
          { stand: "loaded", forecast: hostile },
          { stand: "running", snapshot: cached.snapshot },
          { stand: "paused", snapshot: cached.snapshot, soFar: cached.begun },
        ),
        fc.constantFrom(...palettes),
        (width, height, acts, run, palette) => {
          const core = coreOf(run, { width, height });
          const area = bodyArea(core.size);
          const lines = cacheScreen.view(acted(cacheScreen, core, acts), core, area, palette);
          expect(lines.length).toBeLessThanOrEqual(area.height);
          for (const line of lines) {
            expect(styledWidth(line)).toBeLessThanOrEqual(area.width);
            // biome-ignore lint/suspicious/noControlCharactersInRegex: marks of colours are taken out, others must not be there
            expect(line.replace(/\u001b\[[\d;]*m/g, "")).not.toMatch(/[\u0000-\u001f\u202e]/);
          }
        },
      ),
      { numRuns: drawn(120) },
    );
  });

  test("80x24", () => {
    expect(view(cached, small).join("\n")).toMatchInlineSnapshot(`
      "lru, 5 slots a layer for 8 experts
      72.7% of 47,040 accesses hit; devices waited 2.01 min for the rest

      Hit rate  others: same slots, same accesses
      lru               #########################=            72.7%  this run
      optimum (Belady)  #############################=        84.1%  knows what comes
      best fixed set    #######################=              67.8%  chosen afterwards

      47,040 accesses  1.06 TiB fetched, 6,070 reads of disks
      hits             ###########################=             72.7%  34,211
      cold misses      -                                         0.5%  256 first uses
      capacity misses  ##########-                              26.7%  12,573 the rest

      Waited 2.01 min  92.9% of step time, 9.42 ms a miss
      NVMe       ################################=                       61.8%  74.7 s
      host link  ####################-                                   38.2%  46.2 s"
    `);
  });

  test("120x40", () => {
    expect(view(cached, { width: 120, height: 40 }, ["right", "down"]).join("\n")).toMatchInlineSnapshot(`
      "lru, 5 slots a layer for 8 experts
      72.7% of 47,040 accesses hit; devices waited 2.01 min for the rest

      Hit rate  others: same slots, same accesses                 Hit rate of LRU by slots a layer
      lru               ########=      72.7%  this run            100% + at best 99% -------------------------------------****
      optimum (Belady)  ##########-    84.1%  knows what comes         |                                            ******    
      best fixed set    ########-      67.8%  chosen afterwards        |                                 x   ***#***          
                                                                       |                               **o***   #             
      47,040 accesses  1.06 TiB fetched, 6,070 reads of disks          |                        ***+***  o      #             
      hits             ##########=       72.7%  34,211             50% +                 *******   +     o      #             
      cold misses      -                  0.5%  256 first uses         |            *****          +     o      #             
      capacity misses  ####              26.7%  12,573 the rest        |         ***               +     o      #             
                                                                       |      ***                  +     o      #             
      Waited 2.01 min  92.9% of step time, 9.42 ms a miss              |  ****                     +     o      #             
      NVMe       ##################=              61.8%  74.7 s     0% +**                         +     o      #             
      host link  ###########=                     38.2%  46.2 s        ++------+-----+------+------+-----+------+-----+------+
                                                                        0      1     2      3      4     5      6     7      8
        layer  hit rate  accesses  misses  cold  capacity         * LRU  o 5 in use  + knee 4  x Belady  # 6  - at best 99%
        L0        74.0%     1,470     382     8       374         6 slots a layer: 82.8% with LRU, +10.1 points, +2.71 GiB on
      > L1        71.7%     1,470     416     8       408         each device (5.05 GiB free, what the engine keeps back
        L2        73.1%     1,470     396     8       388         included); knee at 4: a slot brings less than the average
        L3        74.1%     1,470     380     8       372         from there on
        L4        72.0%     1,470     412     8       404      
        L5        75.3%     1,470     363     8       355         Hit rate of the accesses of each 512 ms
        L6        73.7%     1,470     386     8       378         100% +                                                      
        L7        73.7%     1,470     386     8       378              |             *         *              *          *   *
        L8        74.0%     1,470     382     8       374              | *****************************************************
        L9        70.6%     1,470     432     8       424              | *                *      *   **      *     *      *   
        L10       72.2%     1,470     409     8       401          50% + *                                                    
        L11       71.6%     1,470     417     8       409              | *                                                    
        L12       71.7%     1,470     416     8       408              | *                                                    
        L13       72.7%     1,470     402     8       394           0% +**                                                    
        L14       73.3%     1,470     392     8       384              +--------------------+--------------------+------------
        L15       72.9%     1,470     398     8       390                                  50 s                100 s
      1-16 of 32                                                  * hit rate                                    simulated time"
    `);
  });

  test("sizes", () => {
    expect(view(cached, small, ["show"]).join("\n")).toMatchInlineSnapshot(`
      "lru, 5 slots a layer for 8 experts
      72.7% of 47,040 accesses hit; devices waited 2.01 min for the rest

      Hit rate of LRU by slots a layer
      100% + at best 99% --------------------------------------------------------*****
           |                                              x    ******************     
           |                                          ****o****                       
           |                                 ****+****    o                           
       50% +                       **********    +        o                           
           |                *******              +        o                           
           |            ****                     +        o                           
           |     *******                         +        o                           
        0% +*****                                +        o                           
           ++--------+--------+--------+---------+--------+--------+--------+--------+
            0        1        2        3         4        5        6        7        8
      * LRU  o 5 in use  + knee 4  x Belady  - at best 99%               slots a layer
      5 slots a layer: 72.7% with LRU; one more: +10.1 points, +2.71 GiB on each
      device (5.05 GiB free, what the engine keeps back included); knee at 4: a slot
      brings less than the average from there on"
    `);
  });
});
