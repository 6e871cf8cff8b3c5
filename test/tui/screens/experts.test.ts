import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { makePalette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { type ExpertsState, expertsScreen } from "../../../src/tui/screens/experts.ts";
import { cellText, expertMap, metricsOf } from "../../../src/tui/screens/experts-metric.ts";
import { expertPools, hottestExperts, layerFigures } from "../../../src/tui/screens/experts-pool.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { drawn } from "../../drawn.ts";
import { acted, coreOf, type EndedRun, endedRun } from "./ended-run.ts";

const moves = ["up", "down", "left", "right", "pageUp", "pageDown", "first", "last"];
const actions = [...moves, "axis", "metric", "zoom", "layers", "placements", "pool"];
let spread: EndedRun;
let cached: EndedRun;

beforeAll(async () => {
  spread = await endedRun("scenarios/cluster-ep8.yaml", ["traffic.requests=10"]);
  cached = await endedRun("scenarios/quickstart.yaml", ["traffic.requests=20"]);
}, 60_000);

const stateOf = (own: unknown) => own as ExpertsState;
const view = (
  run: Parameters<typeof coreOf>[0],
  size: { width: number; height: number },
  acts: readonly string[] = [],
) => {
  const core = coreOf(run, size);
  return expertsScreen.view(acted(expertsScreen, core, acts), core, bodyArea(size), plainPalette);
};

describe("figures", () => {
  const counted = (run: EndedRun) => {
    const [pool] = expertPools({ ...coreOf(run).runs[0]! });
    return { ...pool!, details: pool!.details! };
  };
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

  test("loads over the mean have the mean 1 in each layer, by rank and by expert", () => {
    for (const run of [spread, cached])
      for (const axis of ["ranks", "experts"] as const) {
        const { heat } = expertMap(counted(run), axis, "load");
        for (let row = 0; row < heat.rows; row++) {
          const own = Array.from(heat.values).slice(row * heat.columns, (row + 1) * heat.columns);
          expect(sum(own) / heat.columns).toBeCloseTo(1, 9);
        }
      }
  });

  test("bytes are those of all pairs, copies those of all ranks", () => {
    const pool = counted(spread);
    const { layers, ranks, pairBytes } = pool.details;
    const pairs = sum(pool.figures.layers.map((layer) => layer.pairs));
    for (const axis of ["ranks", "experts"] as const) {
      expect(sum(expertMap(pool, axis, "bytes").heat.values)).toBeCloseTo(pairs * pairBytes!, 0);
      expect(sum(expertMap(pool, axis, "copies").heat.values)).toBe(layers * (ranks * 20));
    }
  });

  test("the hottest experts are those of a full sort", () => {
    for (const run of [spread, cached]) {
      const { details } = counted(run);
      const { layers, experts, uses } = details;
      const shares = Array.from(uses, (own, key) => {
        const layer = Math.floor(key / experts);
        return own / sum(uses.subarray(layer * experts, (layer + 1) * experts));
      });
      const expected = [...shares].sort((a, b) => b - a).slice(0, 7);
      const hottest = hottestExperts(details, 7);
      expect(hottest.map(({ share }) => share)).toEqual(expected);
      for (const { layer, expert, share } of hottest) expect(shares[layer * experts + expert]).toBe(share);
      const first = Math.max(
        ...Array.from({ length: layers }, (_, layer) => layerFigures(counted(run), layer).hottest!.share),
      );
      expect(first).toBe(expected[0]);
    }
  });

  test("a cell in words says the value of its map", () => {
    const pool = counted(spread);
    const { heat } = expertMap(pool, "experts", "load");
    expect(cellText(pool, "experts", 2, 4)).toContain(heat.format(heat.values[2 * heat.columns + 4]!));
  });

  test("misses are there with a cache, bytes where tokens are sent", () => {
    expect(metricsOf(counted(spread), "ranks")).toEqual(["load", "distinct", "bytes", "copies"]);
    expect(metricsOf(counted(cached), "experts")).toEqual(["load", "misses"]);
  });
});

/** The run as it was at its first batch. */
const going = (begun: Partial<EndedRun["begun"]>, stand: "running" | "paused" = "running") =>
  ({ stand, snapshot: spread.snapshot, soFar: { ...spread.begun, ...begun } }) as const;

describe("a run that goes on", () => {
  const size = { width: 80, height: 24 };

  test("is shown as it ended, of what happened so far", () => {
    const [first, ...rest] = view(going({}), size);
    expect(first).toMatch(/^so far, running {2}94 MoE layers x 128 experts on 8 ranks/);
    expect(rest.join("\n")).toContain("mean rank, so far");
    expect(rest.join("\n")).not.toContain("whole run");
    expect(view(going({}, "paused"), size)[0]).toMatch(/^so far, paused/);
    expect(view(spread, size)[0]).not.toContain("so far");
  });

  test("says when placements are compared", () => {
    expect(view(going({}), size, ["placements"]).join(" ")).toContain("when the run has ended");
    expect(view(spread, size, ["placements"]).join(" ")).not.toContain("when the run has ended");
  });

  test("counts as many tokens as its layers had pairs", () => {
    const [pool] = expertPools(coreOf(going({})).runs[0]!);
    const all = Array.from(pool!.details!.uses).reduce((total, value) => total + value, 0);
    expect(all).toBeCloseTo(
      pool!.figures.layers.reduce((total, { pairs }) => total + pairs, 0),
      6,
    );
  });
});

describe("state", () => {
  test("the cursor stays inside whatever map is shown", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...actions), { maxLength: 30 }), fc.boolean(), (acts, isSpread) => {
        const run = isSpread ? spread : cached;
        const core = coreOf(run);
        const { layers, experts } = run.details.experts[0]!;
        const own = stateOf(acted(expertsScreen, core, acts));
        expect(own.row).toBeGreaterThanOrEqual(0);
        expect(own.row).toBeLessThan(layers);
        expect(own.column).toBeGreaterThanOrEqual(0);
        expect(own.column).toBeLessThan(experts);
      }),
      { numRuns: drawn(100) },
    );
  });

  test("a cursor of another run is shown inside this one", () => {
    const own = acted(expertsScreen, coreOf(spread), ["axis", "last", ...new Array<string>(100).fill("right")]);
    const core = coreOf(cached);
    const lines = expertsScreen.view(own, core, bodyArea(core.size), plainPalette);
    expect(lines.join("\n")).toContain("layer 23, expert 31:");
  });

  test("placements and the table open and close with their keys", () => {
    const shown = (...acts: string[]) => stateOf(acted(expertsScreen, coreOf(spread), acts)).show;
    expect(shown("placements")).toBe("placements");
    expect(shown("placements", "placements")).toBe("map");
    expect(shown("placements", "layers")).toBe("layers");
    expect(shown("layers", "metric")).toBe("map");
  });
});

describe("what cannot be shown is said", () => {
  const missing = (run: Parameters<typeof coreOf>[0]) => expertsScreen.missing!(coreOf(run));

  test("no run, one that begins, one that failed, uniform routing", () => {
    expect(missing(null)).toMatch(/No run yet/);
    expect(missing({ stand: "running", snapshot: spread.snapshot })).toMatch(/is being counted/);
    expect(missing({ stand: "running", snapshot: null })).toMatch(/reads its inputs/);
    const none = spread.begun.pools.map((pool) => ({ ...pool, experts: null }));
    expect(missing(going({ pools: none }))).toMatch(/No expert has had a token/);
    expect(missing(going({ pools: none.map((pool) => ({ ...pool, expertDetails: null })) }))).toMatch(/Uniform/);
    expect(missing(going({}))).toBeNull();
    expect(missing({ stand: "failed", message: "no" })).toMatch(/failed/);
    expect(missing({ forecast: { ...spread.forecast, experts: null } })).toMatch(/Uniform/);
    expect(missing(spread)).toBeNull();
  });

  test("a saved result has a table of layers and says what it lacks", () => {
    const saved = { stand: "loaded", forecast: spread.forecast } as const;
    expect(missing(saved)).toBeNull();
    const lines = view(saved, { width: 80, height: 24 });
    expect(lines.join("\n")).toContain("a saved result keeps figures alone");
    expect(lines.join("\n")).toContain("heaviest/mean");
    expect(lines.join("\n")).not.toContain("hottest");
  });

  test("a run of the session whose details are gone says so, and not that it was saved", () => {
    const lines = view({ stand: "done", forecast: spread.forecast }, { width: 80, height: 24 }).join("\n");
    expect(lines).toContain("its details are not kept any more");
    expect(lines).not.toContain("saved");
  });
});

test("two pools are shown in turn", () => {
  const { experts, cache } = spread.forecast;
  const pools = ["prefill", "decode"].map((name) => ({ name, placement: "contiguous", experts, cache }));
  const details = {
    ...spread.details,
    experts: ["prefill", "decode"].map((pool) => ({ ...spread.details.experts[0]!, pool })),
  };
  const run = { forecast: { ...spread.forecast, pools } as unknown as EndedRun["forecast"], details };
  const title = (...acts: string[]) => view(run, { width: 80, height: 24 }, acts)[0];
  expect(title()).toMatch(/^pool prefill \(p: next of 2\)/);
  expect(title("pool")).toMatch(/^pool decode/);
  expect(title("pool", "pool")).toBe(title());
});

describe("frames", () => {
  test("never leave their room, whatever is shown, and hostile names are inert", () => {
    const hostile = {
      ...spread.forecast,
      deployment: { ...spread.forecast.deployment, placement: "a\u001b[2J\nb\u202e漢" },
    };
    const palettes = [plainPalette, makePalette({ depth: "true", unicode: true })];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.constantFrom(...actions), { maxLength: 6 }),
        fc.constantFrom<Parameters<typeof coreOf>[0]>(going({}), { ...spread, forecast: hostile }, cached, {
          stand: "loaded",
          forecast: hostile,
        }),
        fc.constantFrom(...palettes),
        (width, height, acts, run, palette) => {
          const core = coreOf(run, { width, height });
          const area = bodyArea(core.size);
          const lines = expertsScreen.view(acted(expertsScreen, core, acts), core, area, palette);
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
    expect(view(spread, { width: 80, height: 24 }).join("\n")).toMatchInlineSnapshot(`
      "94 MoE layers x 128 experts on 8 ranks  placement eplb, 32 redundant experts a ~
      heaviest rank 2.21x the mean in a step, 1.04x over the run; worst L86 2.39x
      a layer waits for its heaviest rank: 1x is even. L0 is the first MoE layer
      Tokens of each rank over its layer's mean rank, whole run
            r0  r1  r2  r3  r4  r5  r6  r7
      L0 >  *   5   5   4   5   5   5   5 
      L10   5   5   5   5   5   5   5   5 
      L20   5   5   5   5   5   5   5   4 
      L30   5   5   5   5   5   5   5   5 
      L40   5   5   5   5   5   5   5   5 
      L50   5   5   5   5   5   5   5   5 
      L60   5   5   5   5   5   5   5   5 
      L70   5   5   5   5   5   5   5   5 
      L80   5   5   5   5   5   5   5   5 
      L90   5   4   5   5   5   4   5   4 
      L0, r0: 1.00x  0.50x 0123456789 1.50x  10 rows a line
      layer 0, rank 0: 1.00x the mean; 15,687 pairs (12.5%); 2.19 of 20 experts a step
      hottest   L47 e58 7.0% (9.01x mean), L48 e58 7.0% (9.01x mean), L61 e78 7.0% (8.
      over time *#++==+++++++++*********#@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1.09x to 2.61x"
    `);
  });

  test("120x40", () => {
    expect(view(spread, { width: 120, height: 40 }, ["axis", "down", "right"]).join("\n")).toMatchInlineSnapshot(`
      "94 MoE layers x 128 experts on 8 ranks  placement eplb, 32 redundant experts a layer
      heaviest rank 2.21x the mean in a step, 1.04x over the run; worst L86 2.39x
      a layer waits for its heaviest rank: 1x is even. L0 is the first MoE layer
      Tokens of each expert over its layer's mean expert, whole run             layer  heaviest/mean  hottest  over mean
          e0   e10  e20  e30  e40  e50  e60  e70  e80  e90  e100 e110 e120      L0             2.24x      e32      1.68x
      L0 >*131121111111111111112111111111111111111211111112211212121211111    > L1             2.24x      e32      1.68x      
      L4  2021111020312351311013211112213112102111022311140211322131112215      L2             2.22x       e4      2.72x
      L8  2041130225236138311112211152011503021123022237212031223011330311      L3             2.22x       e4      2.72x
      L12 1021123112513350330128085742213231600043344232140031235214203201      L4             2.27x      e95      4.23x
      L16 8312142210402242402233110106221322106730416130402012481310111212      L5             2.27x      e95      4.23x
      L20 3213111244136422360143242114423232262103617210936311838421283434      L6             2.17x      e29      5.24x
      L24 1232161343242416160134823134343132522173612101516212323421288136      L7             2.17x      e29      5.24x
      L28 0222241323341540310232223353842231532577031113512711803521338411      L8             2.19x      e91      6.44x
      L32 2222242122173521422216423051371720112517431253111202832523310122      L9             2.19x      e91      6.44x
      L36 2221342613271211422230412121153730261323135352434141332313310892    1-10 of 94
      L40 3228011333242312143271312103051235411010227163423342312310312391 
      L44 1215203231442332143271262133091232621119212464133313231501312144    Hottest experts  part of their layer's tokens
      L48 3155213813442121323512263232591034624133244413132101211141226473    layer  expert  part  over mean  copies
      L52 3222202833220231312211383252501134514123147453433121114140228412    L47    e58     7.0%      9.01x       5
      L56 2011512233513230113274381152407352210223121353443023121120132224    L48    e58     7.0%      9.01x       5
      L60 3071312423223311421314121131317052220529133111251313121132142213    L61    e78     7.0%      8.95x       5
      L64 2271331201120301425324124151232141133522122641131331172142112233    L62    e78     7.0%      8.95x       5
      L68 6411021221422131315232314111132143333261332134232132072042232123    L39    e124    6.8%      8.75x       5
      L72 1204131111111010126023233111221222333126451031324310211222013213 
      L76 2112001012011341214114211441114202232333120222121303121314222101    Heaviest over mean rank, mean of all layers
      L80 2102121010110123421211431122123342331212161222021312021011134030    5x +                                            
      L84 2211101121113142123210425222111101121301011132412513222122123112       |                                            
      L88 0221122021101111212131212322312114111121123112111442200221111313       | *                 *************************
      L92 0000111031102101130100101201131101221231121101101220011112210111       |****    ******************* *************** 
      L1, e1: 1.11x  0.00x 0123456789 9.01x  max of 2 a cell  4 rows a line      |*-******* even 1x --------------------------
                                                                              0x +                                            
                                                                                 +---------------+--------------+-------------
                                                                                                5 s            10 s
                                                                              * heaviest / mean rank  - even 1x
      layer 1, expert 1: 1.11x the mean; 1,095 tokens (0.9%); 1 copy"
    `);
  });

  test("placements", () => {
    expect(view(spread, { width: 80, height: 24 }, ["placements"]).join("\n")).toMatchInlineSnapshot(`
      "94 MoE layers x 128 experts on 8 ranks  placement eplb, 32 redundant experts a ~
      heaviest rank 2.21x the mean in a step, 1.04x over the run; worst L86 2.39x
      a layer waits for its heaviest rank: 1x is even. L0 is the first MoE layer
      placement   mean of layers   worst layer  places a layer  what it is
      in use              1.023x  1.050x (L20)             160  eplb, 32 redundant ex~
      contiguous          1.374x  1.789x (L33)             128  experts in order
      lpt                 1.000x  1.000x (L65)             128  fitted to this run, n~
      eplb                1.001x   1.004x (L2)             160  fitted to this run, w~
      Heaviest over mean rank, of the tokens of this very run in all; copies of an
      expert share them equally. Those fitted to the run show how even it could have
      been at best; single steps are less even.

        layer  in use  contiguous     lpt    eplb
      > L0     1.005x      1.141x  1.000x  1.001x                                     
        L1     1.005x      1.141x  1.000x  1.001x
        L2     1.014x      1.097x  1.000x  1.004x
        L3     1.014x      1.097x  1.000x  1.004x
        L4     1.015x      1.311x  1.000x  1.002x
      1-5 of 94"
    `);
  });

  test("misses of a cache on one rank", () => {
    expect(view(cached, { width: 80, height: 24 }, ["metric", "layers"]).join("\n")).toMatchInlineSnapshot(`
      "24 MoE layers x 32 experts on 1 rank  placement contiguous
      hottest expert 2.50x the mean of its layer, mean of layers
      one rank holds all experts: nothing waits for a heavier one. L0 is the first Mo~
        layer  hottest  over mean  copies    hits  experts/step   pairs
      > L0         e17      2.11x       1    0.0%          7.32  30,584               
        L1          e7      2.46x       1    0.0%          7.23  30,584
        L2         e15      2.48x       1  100.0%          7.08  30,584
        L3         e13      2.63x       1  100.0%          6.99  30,584
        L4          e6      2.73x       1  100.0%          6.98  30,584
        L5          e0      2.15x       1  100.0%          7.11  30,584
        L6         e26      2.22x       1  100.0%          7.19  30,584
        L7         e11      2.23x       1  100.0%          7.18  30,584
        L8         e20      2.03x       1  100.0%          7.07  30,584
        L9         e30      2.39x       1  100.0%          6.93  30,584
        L10        e10      2.82x       1  100.0%          6.76  30,584
        L11        e23      2.93x       1  100.0%          6.78  30,584
        L12        e24      2.76x       1  100.0%          6.75  30,584
        L13        e11      2.81x       1  100.0%          6.77  30,584
      1-14 of 24"
    `);
  });
});
