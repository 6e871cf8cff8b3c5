import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { makePalette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { type ExpertsState, expertsScreen } from "../../../src/tui/screens/experts.ts";
import { cellText, expertMap, metricsOf } from "../../../src/tui/screens/experts-metric.ts";
import { expertPools, hottestExperts, layerFigures } from "../../../src/tui/screens/experts-pool.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { drawn } from "../../drawn.ts";
import { after, coreOf, type EndedRun, endedRun } from "./ended-run.ts";

const moves = ["up", "down", "left", "right", "pageUp", "pageDown", "first", "last"];
const actions = [...moves, "axis", "metric", "zoom", "layers", "placements", "pool"];
let spread: EndedRun;
let cached: EndedRun;

beforeAll(async () => {
  spread = await endedRun("scenarios/cluster-ep8.yaml", ["traffic.requests=10"]);
  cached = await endedRun("scenarios/quickstart.yaml", ["traffic.requests=20"]);
});

const stateOf = (own: unknown) => own as ExpertsState;
const view = (
  run: Parameters<typeof coreOf>[0],
  size: { width: number; height: number },
  acts: readonly string[] = [],
) => {
  const core = coreOf(run, size);
  return expertsScreen.view(after(expertsScreen, core, acts), core, bodyArea(size), plainPalette);
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
    expect(metricsOf(counted(cached), "experts")).toEqual(["load", "misses", "copies"]);
  });
});

describe("state", () => {
  test("the cursor stays inside whatever map is shown", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...actions), { maxLength: 30 }), fc.boolean(), (acts, isSpread) => {
        const run = isSpread ? spread : cached;
        const core = coreOf(run);
        const { layers, experts } = run.details.experts[0]!;
        const own = stateOf(after(expertsScreen, core, acts));
        expect(own.row).toBeGreaterThanOrEqual(0);
        expect(own.row).toBeLessThan(layers);
        expect(own.column).toBeGreaterThanOrEqual(0);
        expect(own.column).toBeLessThan(experts);
      }),
      { numRuns: drawn(100) },
    );
  });

  test("a cursor of another run is shown inside this one", () => {
    const own = after(expertsScreen, coreOf(spread), ["axis", "last", ...new Array<string>(100).fill("right")]);
    const core = coreOf(cached);
    const lines = expertsScreen.view(own, core, bodyArea(core.size), plainPalette);
    expect(lines.join("\n")).toContain("layer 23, expert 31:");
  });

  test("placements and the table open and close with their keys", () => {
    const shown = (...acts: string[]) => stateOf(after(expertsScreen, coreOf(spread), acts)).show;
    expect(shown("placements")).toBe("placements");
    expect(shown("placements", "placements")).toBe("map");
    expect(shown("placements", "layers")).toBe("layers");
    expect(shown("layers", "metric")).toBe("map");
  });
});

describe("what cannot be shown is said", () => {
  const missing = (run: Parameters<typeof coreOf>[0]) => expertsScreen.missing!(coreOf(run));

  test("no run, one that goes on, one that failed, uniform routing", () => {
    expect(missing(null)).toMatch(/No run yet/);
    expect(missing({ stand: "running", snapshot: spread.snapshot })).toMatch(/when it has ended/);
    expect(missing({ stand: "failed", message: "no" })).toMatch(/failed/);
    expect(missing({ forecast: { ...spread.forecast, experts: null } })).toMatch(/uniform/);
    expect(missing(spread)).toBeNull();
  });

  test("a saved result has a table of layers and says what it lacks", () => {
    const saved = { stand: "loaded", forecast: spread.forecast } as const;
    expect(missing(saved)).toBeNull();
    const lines = view(saved, { width: 80, height: 24 });
    expect(lines.join("\n")).toContain("run it again");
    expect(lines.join("\n")).toContain("heaviest/mean");
    expect(lines.join("\n")).not.toContain("hottest");
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
        fc.constantFrom<Parameters<typeof coreOf>[0]>({ ...spread, forecast: hostile }, cached, {
          stand: "loaded",
          forecast: hostile,
        }),
        fc.constantFrom(...palettes),
        (width, height, acts, run, palette) => {
          const core = coreOf(run, { width, height });
          const area = bodyArea(core.size);
          const lines = expertsScreen.view(after(expertsScreen, core, acts), core, area, palette);
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
    expect(view(spread, { width: 80, height: 24 }).join("\n")).toMatchInlineSnapshot();
  });

  test("120x40", () => {
    expect(view(spread, { width: 120, height: 40 }, ["axis", "down", "right"]).join("\n")).toMatchInlineSnapshot();
  });

  test("placements", () => {
    expect(view(spread, { width: 80, height: 24 }, ["placements"]).join("\n")).toMatchInlineSnapshot();
  });

  test("misses of a cache on one rank", () => {
    expect(view(cached, { width: 80, height: 24 }, ["metric", "layers"]).join("\n")).toMatchInlineSnapshot();
  });
});
