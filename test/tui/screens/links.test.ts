import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { LiveSnapshot } from "../../../src/forecast/live/live-run.ts";
import { makePalette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { linkColumns, sortedLinks } from "../../../src/tui/screens/link-columns.ts";
import { type LinkRow, linksOfRun, queuedNs } from "../../../src/tui/screens/link-rows.ts";
import { linkWords } from "../../../src/tui/screens/link-words.ts";
import { type LinksState, linksScreen } from "../../../src/tui/screens/links.ts";
import { shownLinks } from "../../../src/tui/screens/links-view.ts";
import { largest } from "../../../src/tui/screens/memory-view.ts";
import { heard, newRecord, type RunRecord } from "../../../src/tui/state/run-record.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { drawn } from "../../drawn.ts";
import { acted, coreOf, type EndedRun, endedRun } from "./ended-run.ts";

const actions = ["up", "down", "pageUp", "pageDown", "first", "last", "sort", "reverse", "idle", "memory"];
const small = { width: 80, height: 24 };
const request = { file: "scenarios/test.yaml", text: "", settings: [], params: {} };
let run: EndedRun;

beforeAll(async () => {
  run = await endedRun("scenarios/quickstart.yaml", ["traffic.requests=12"]);
});

const recordOf = (record: Partial<RunRecord>): RunRecord => ({ ...newRecord(1, "test", request), ...record });
const stateOf = (own: unknown) => own as LinksState;
const view = (record: Partial<RunRecord>, size = small, own: Partial<LinksState> = {}, palette = plainPalette) =>
  linksScreen.view({ ...stateOf(linksScreen.start), ...own }, coreOf(record, size), bodyArea(size), palette);
/** As if the run went on where it ended. */
const midway = (): LiveSnapshot => ({ ...run.snapshot, simulatedNs: run.details.endNs, links: run.details.links });
const live = (): Partial<RunRecord> =>
  heard(recordOf({ stand: "waiting" }), { kind: "snapshot", id: 1, snapshot: midway(), wallMs: 10, leastSample: 1 });
const saved = (): Partial<RunRecord> => ({ stand: "loaded", forecast: run.forecast });

describe("figures", () => {
  test("busy times, bytes and shares are those of the forecast, from the run and as it was saved", () => {
    const ofForecast = run.forecast.resources.map(({ name, busyNs, bytes, utilisation }) => [
      name,
      busyNs,
      bytes,
      utilisation,
    ]);
    for (const record of [run, saved()]) {
      const { rows } = linksOfRun(recordOf(record))!;
      expect(rows.map(({ name, busyNs, bytes, share }) => [name, busyNs, bytes, share])).toEqual(
        ofForecast.map(([name, busyNs, bytes, share]) => [name, busyNs, bytes, expect.closeTo(share as number, 12)]),
      );
    }
  });

  test("what takes turns gives its time to demands and background work, and demands wait for one or the other", () => {
    const { rows } = linksOfRun(recordOf(run))!;
    const turning = rows.filter(({ turns }) => turns !== null);
    expect(turning.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["host link of rank 0", "host memory of node 0", "front end of replica 0"]),
    );
    for (const row of turning) {
      const { demandNs, backgroundNs, behindDemandNs, behindBackgroundNs } = row.turns!;
      expect(demandNs + backgroundNs).toBeCloseTo(row.busyNs, 3);
      expect(queuedNs(row)).toBe(behindDemandNs + behindBackgroundNs);
      expect(row.rate).toBeCloseTo(row.busyRate * row.share, 9);
    }
  });

  test("the busy share of the time between two snapshots is that of their difference", () => {
    const snapshot = midway();
    const before = recordOf({ stand: "running", snapshot });
    const half = snapshot.simulatedNs / 2;
    const now = {
      ...snapshot,
      simulatedNs: snapshot.simulatedNs + half,
      links: [
        ...snapshot.links.map((link) => ({ ...link, busyNs: link.busyNs + half / 4 })),
        { name: "new", busyNs: half / 2, bytes: 0, turns: null },
      ],
    };
    const { rates } = heard(before, { kind: "snapshot", id: 1, snapshot: now, wallMs: 1, leastSample: 1 });
    for (const { name } of snapshot.links) expect(rates!.linkShares.get(name)).toBeCloseTo(0.25, 6);
    expect(rates!.linkShares.get("new")).toBeCloseTo(0.5, 9);
  });

  test("memory is known while the run goes on, as it is in its result", () => {
    expect(run.snapshot.memory).toEqual(run.forecast.memory.tiers);
  });
});

describe("order", () => {
  const names = ["rank 10", "rank 2", "link b", "link a", "rank 2"];
  const row = (name: string, share: number): LinkRow => ({
    name,
    share,
    recent: share,
    busyNs: share,
    bytes: 0,
    rate: Number.NaN,
    busyRate: Number.NaN,
    turns: null,
  });

  test("numbers in names count as numbers", () => {
    const sorted = sortedLinks(
      names.map((name) => row(name, 1)),
      0,
      false,
    );
    expect(sorted.map(({ name }) => name)).toEqual(["link a", "link b", "rank 2", "rank 2", "rank 10"]);
  });

  test("every column is sorted both ways, and what has no value comes last", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.constantFrom(...names), share: fc.constantFrom(0, 0.5, 1, Number.NaN) }), {
          maxLength: 12,
        }),
        fc.nat(linkColumns.length - 1),
        fc.boolean(),
        (drawnRows, column, descending) => {
          const rows = drawnRows.map(({ name, share }) => row(name, share));
          const sorted = sortedLinks(rows, column, descending);
          expect(sorted.map((one) => one.name).sort()).toEqual(rows.map((one) => one.name).sort());
          const values = sorted.map((one) => linkColumns[column]!.value?.(one) ?? 0);
          const known = values.filter((value) => !Number.isNaN(value));
          expect(values.slice(0, known.length)).toEqual(known);
          expect(known).toEqual(known.toSorted((a, b) => (descending ? b - a : a - b)));
        },
      ),
      { numRuns: drawn(100) },
    );
  });
});

describe("words", () => {
  const words = (name: string) => {
    const links = linksOfRun(recordOf(run))!;
    return linkWords(links.rows.find((row) => row.name === name)!, links).join(" ");
  };

  test("waiting is said with its cause, and where nothing queues that is said too", () => {
    expect(words("host memory of node 0")).toMatch(
      /demands took .* and queued .* \(!: longer than they were served\), .* each: behind one another\. It has free time/,
    );
    expect(words("replica 0")).toContain("Nothing queues here");
    expect(words("front end of replica 0")).toContain("requests took");
  });

  test("the sign before a row, and what queued means here, are explained", () => {
    const explained = new Map(linksScreen.words);
    expect(explained.get("!")).toContain("longer than it was served");
    expect(explained.get("queued")).toContain("queue of a link");
    // On Cache devices wait: no word of this screen reads as that one.
    expect([...linkColumns.map(({ header }) => header), ...explained.keys()]).not.toContain("waited");
  });

  test("a saved result says what it does not know", () => {
    const links = linksOfRun(recordOf(saved()))!;
    expect(linkWords(links.rows[0]!, links).join(" ")).toContain("a saved result keeps figures alone");
    expect(view(saved(), { width: 120, height: 40 })[1]).not.toContain("queued");
  });

  test("a run of the session whose details are gone says so, and not that it was saved", () => {
    const gone = { stand: "done", forecast: run.forecast } as const;
    const links = linksOfRun(recordOf(gone))!;
    const text = [...linkWords(links.rows[0]!, links), ...view(gone)].join(" ");
    expect(text).toContain("its details are not kept any more");
    expect(text).not.toContain("saved");
  });

  test("the first line says that a run goes on, or stands still, and nothing of it for one that has ended", () => {
    expect(view(live())[0]).toMatch(/^so far, running/);
    expect(view({ ...live(), stand: "paused" })[0]).toMatch(/^so far, paused/);
    for (const record of [run, saved()]) expect(view(record)[0]).not.toContain("so far");
  });

  test("the larger cause is the one that is explained", () => {
    const links = linksOfRun(recordOf(run))!;
    const turns = {
      demandNs: 100,
      backgroundNs: 900,
      behindDemandNs: 10,
      behindBackgroundNs: 400,
      demands: 7,
      chunks: 9,
    };
    const one = { ...links.rows[0]!, busyNs: 1000, turns };
    expect(linkWords(one, links).join(" ")).toMatch(
      /queued 410 ns \(!: longer than they were served\), .*Nothing interrupts a chunk/,
    );
    expect(linkWords({ ...one, turns: { ...turns, behindBackgroundNs: 0 } }, links).join(" ")).toContain(
      "queued 10 ns, 1.43 ns each",
    );
    expect(
      linkWords({ ...one, turns: { ...turns, behindDemandNs: 0, behindBackgroundNs: 0 } }, links).join(" "),
    ).toContain("None queued");
    expect(linkWords({ ...one, share: 0.95, turns: { ...turns, behindDemandNs: 500 } }, links).join(" ")).toContain(
      "nearly always busy",
    );
  });
});

describe("memory", () => {
  const item = fc.record({ name: fc.constantFrom("a", "b", "c"), bytes: fc.nat(1000) });

  test("what is summed up as smaller is smaller than every part with a name, and nothing is lost", () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 20 }), (drawnItems) => {
        const items = drawnItems.toSorted((a, b) => b.bytes - a.bytes);
        const shown = largest(items);
        const sum = (list: readonly { readonly bytes: number }[]) => list.reduce((all, { bytes }) => all + bytes, 0);
        expect(sum(shown)).toBe(sum(items));
        if (shown.length === items.length) return;
        const named = shown.slice(0, -1);
        const others = items.slice(named.length);
        for (const { bytes } of others) expect(bytes).toBeLessThanOrEqual(named.at(-1)!.bytes);
        // What is more than a part with a name does not hide what most of it is.
        const hides = sum(others) > named.at(-1)!.bytes;
        expect(shown.at(-1)!.name).toBe(
          hides ? `${others[0]!.name} and ${others.length - 1} smaller parts` : `${others.length} smaller parts`,
        );
      }),
    );
  });

  test("the largest part comes first, however the plan lists them", () => {
    const [tier] = run.forecast.memory.tiers;
    const items = [...tier!.items, { name: "a late giant", bytes: 50e9 }];
    const memory = { ...run.forecast.memory, tiers: [{ ...tier!, items, usedBytes: 60e9, capacityBytes: 80e9 }] };
    const record = { ...run, forecast: { ...run.forecast, memory } };
    const lines = view(record, { width: 120, height: 40 }).join("\n");
    expect(lines).toMatch(/# a late giant 46\.6 GiB/);
    expect(view(record, small, { memory: true })[3]).toMatch(/^a late giant/);
  });
});

describe("state", () => {
  test("the selected resource is one that is shown", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...actions), { maxLength: 12 }),
        fc.constantFrom("", "rank", "none"),
        (acts, filter) => {
          const core = coreOf(run);
          const own = stateOf(acted(linksScreen, core, acts, { ...stateOf(linksScreen.start), filter }));
          const rows = shownLinks(own, linksOfRun(core.runs[0]!)!);
          if (own.name !== null && !acts.includes("idle")) expect(rows.map(({ name }) => name)).toContain(own.name);
          expect(own.memoryFrom).toBeGreaterThanOrEqual(0);
          expect(own.from).toBeLessThanOrEqual(Math.max(0, rows.length));
        },
      ),
      { numRuns: drawn(100) },
    );
  });

  test("the selection stays on its resource when others overtake it", () => {
    const own = stateOf(acted(linksScreen, coreOf(run), ["down", "down"]));
    const overtaken = run.details.links.map((link) => ({ ...link, busyNs: link.name === own.name ? 1 : link.busyNs }));
    const lines = view({ ...run, details: { ...run.details, links: overtaken } }, small, own);
    expect(lines.find((line) => line.startsWith(">"))).toContain(own.name!);
  });

  test("idle resources are hidden until they are asked for", () => {
    const idle = { name: "a link that does nothing", busyNs: 0, bytes: 0, turns: null };
    const record = { ...run, details: { ...run.details, links: [...run.details.links, idle] } };
    const wide = { width: 120, height: 40 };
    const hidden = view(record, wide).join("\n");
    expect(hidden).not.toContain(idle.name);
    expect(hidden).toContain("1 idle hidden");
    expect(view(record, wide, { idle: true }).join("\n")).toContain(idle.name);
  });

  test("without links it says why", () => {
    expect(linksScreen.missing!(coreOf(null))).toContain("No run yet");
    expect(linksScreen.missing!(coreOf({ stand: "waiting" }))).toContain("reads its inputs");
    expect(linksScreen.missing!(coreOf({ stand: "failed", message: "no" }))).toContain("failed");
    for (const record of [run, live(), saved()]) expect(linksScreen.missing!(coreOf(record))).toBeNull();
  });
});

test("no line is wider than the screen, and none are too many, whatever the size", () => {
  const name = "link\u001b[31m\n界\u202e";
  const hostile = {
    ...run,
    details: { ...run.details, links: run.details.links.map((link, i) => ({ ...link, name: `${name} ${i}` })) },
    forecast: {
      ...run.forecast,
      memory: {
        ...run.forecast.memory,
        tiers: run.forecast.memory.tiers.map((tier) => ({
          ...tier,
          tier: `${tier.tier}${name}`,
          items: [...tier.items, { name, bytes: 1 }],
        })),
      },
    },
  };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(linkColumns.length - 1),
      fc.boolean(),
      fc.constantFrom("", "rank", "\u001b[2J"),
      fc.constantFrom(hostile, live(), saved()),
      fc.constantFrom(plainPalette, makePalette({ depth: "256", unicode: true })),
      (width, height, column, memory, filter, record, palette) => {
        const size = { width, height };
        const lines = view(record, size, { column, memory, filter }, palette);
        expect(lines.length).toBeLessThanOrEqual(bodyArea(size).height);
        for (const line of lines) {
          expect(styledWidth(line)).toBeLessThanOrEqual(width);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: marks of the palette are taken away
          expect(line.replace(/\u001b\[[\d;]*m/g, "")).not.toMatch(/[\u0000-\u001f\u202e]/);
        }
      },
    ),
    { numRuns: drawn(120) },
  );
});

test("frames", () => {
  expect(view(run, small, { name: "host memory of node 0" }).join("\n")).toMatchInlineSnapshot(`
    "6 of 6 resources over 22.2 s
       resource                busy v  queued     bytes        rate  demands  chunks
       replica 0               100.0%       -         -           -        -       -
       experts of rank 0        40.5%       -         -           -        -       -
    >! host memory of node 0    29.4%  20.4 s   328 GiB   15.9 GB/s   26,577       0
     ! processors of node 0     28.7%  20.4 s         -           -   25,900       0
       host link of rank 0       1.7%    0 ns  8.35 GiB  0.404 GB/s      677       0
       front end of replica 0    0.0%  435 us         -           -       12       0

    host memory of node 0
    Busy for 6.5 s of 22.2 s (29.4%). 328 GiB: 15.9 GB/s, 54.1 GB/s while busy.
    26,577 demands took 6.5 s and queued 20.4 s (!: longer than they were served),
    767 us each: behind one another.
    It has free time: several come at once. Fewer at once, or a faster one, would
    shorten the queue.

    Memory of the fullest device  KV blocks at most 19.4% in use
    NVIDIA GeForce RTX 4070 memory  ################-    90.5%  10.5 GiB of 11.6 GiB
    ddr5-5200-2ch                   #-                    7.8%  10 GiB of 128 GiB"
  `);
  expect(view(run, { width: 120, height: 40 }, { name: "host memory of node 0" }).join("\n")).toMatchInlineSnapshot(`
    "6 of 6 resources over 22.2 s
       resource                busy v  queued        rate  demands  chunks       Memory of the fullest device
       replica 0               100.0%       -           -        -       -       KV blocks at most 19.4% in use
       experts of rank 0        40.5%       -           -        -       -    
    >! host memory of node 0    29.4%  20.4 s   15.9 GB/s   26,577       0       NVIDIA GeForce RTX 4070 memory
     ! processors of node 0     28.7%  20.4 s           -   25,900       0       10.5 GiB of 11.6 GiB
       host link of rank 0       1.7%    0 ns  0.404 GB/s      677       0       ###############################==++--ox....
       front end of replica 0    0.0%  435 us           -       12       0       # expert cache, 704 slots 8.68 GiB (74.5%)
                                                                                 = attention weights 645 MiB (5.4%)
    host memory of node 0                                                        + head 587 MiB (4.9%)
    Busy for 6.5 s of 22.2 s (29.4%). 328 GiB: 15.9 GB/s, 54.1 GB/s while        - activations 438 MiB (3.7%)
    busy.                                                                        o KV cache 192 MiB (1.6%)
    26,577 demands took 6.5 s and queued 20.4 s (!: longer than they were        x 4 smaller parts 48.1 MiB (0.4%)
    served), 767 us each: behind one another.                                    . rest 1.1 GiB (9.5%)
    It has free time: several come at once. Fewer at once, or a faster one,   
    would shorten the queue.                                                     ddr5-5200-2ch  10 GiB of 128 GiB
                                                                                 ###=.......................................
                                                                                 # home of 768 experts 9.47 GiB (7.4%)
                                                                                 = embedding 587 MiB (0.4%)
                                                                                 . rest 118 GiB (92.2%)"
  `);
  expect(view(live(), small).join("\n")).toMatchInlineSnapshot(`
    "so far, running, 6 of 6 resources over the first 22.2 s
       resource                busy v     now  queued        rate  demands  chunks
    >  replica 0               100.0%  100.0%       -           -        -       -  
       experts of rank 0        40.5%   40.5%       -           -        -       -
     ! host memory of node 0    29.4%   29.4%  20.4 s   15.9 GB/s   26,577       0
     ! processors of node 0     28.7%   28.7%  20.4 s           -   25,900       0
       host link of rank 0       1.7%    1.7%    0 ns  0.404 GB/s      677       0
       front end of replica 0    0.0%    0.0%  435 us           -       12       0

    replica 0
    Busy for 22.2 s of 22.2 s (100.0%).
    Nothing queues here: steps use it one at a time.




    Memory of the fullest device  KV blocks 0.0% in use now
    NVIDIA GeForce RTX 4070 memory  ################-    90.5%  10.5 GiB of 11.6 GiB
    ddr5-5200-2ch                   #-                    7.8%  10 GiB of 128 GiB"
  `);
  expect(view(run, small, { memory: true }).join("\n")).toMatchInlineSnapshot(`
    "Memory of the fullest device  KV blocks at most 19.4% in use

    NVIDIA GeForce RTX 4070 memory
    expert cache, 704 slots            ###########=       74.5%  8.68 GiB
    attention weights                  =                   5.4%  645 MiB
    head                               =                   4.9%  587 MiB
    activations                        =                   3.7%  438 MiB
    KV cache, 8192 blocks of 1 tokens  -                   1.6%  192 MiB
    expert transfer buffer             -                   0.2%  25.2 MiB
    window and state caches            -                   0.2%  18 MiB
    router weights                     -                   0.0%  4.22 MiB
    norms and biases                   -                   0.0%  655 KiB
    free                               #=                  9.5%  1.1 GiB of 11.6 GiB

    ddr5-5200-2ch
    home of 768 experts  ##-                                7.4%  9.47 GiB
    embedding            -                                  0.4%  587 MiB
    free                 ############################=     92.2%  118 GiB of 128 GiB"
  `);
});
