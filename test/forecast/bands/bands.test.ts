import { describe, expect, test } from "vitest";
import { engineIds } from "../../../src/engine/catalogue.ts";
import { bandAround, combinedBand, widthOf } from "../../../src/forecast/bands/band.ts";
import { type BandQuery, bandsFor, basisBands } from "../../../src/forecast/bands/bands.ts";
import {
  type ErrorBandTable,
  errorBandTable,
  type ValidatedSetup,
} from "../../../src/forecast/bands/error-band-table.ts";
import { deviceIds } from "../../../src/hardware/named-profiles.ts";
import { catalogue } from "../../../src/models/catalogue.ts";
import { bandsOfPoint, setupOf } from "../../../src/validate/serving/point-bands.ts";
import { servingPoint } from "../../calibrate/example-points.ts";

const setup = (model: string, device: string, engine: string, parts: Partial<ValidatedSetup> = {}): ValidatedSetup => ({
  model,
  device,
  engine,
  points: 50,
  tpotMedianPercent: 10,
  ttftMedianPercent: 20,
  tpotScale: 1,
  ttftScale: 1,
  deployments: [],
  ...parts,
});

const table: ErrorBandTable = {
  nominal: 0.8,
  source: "a test",
  date: "2026-01-31",
  devicesMax: 8,
  promptTokensMax: 8192,
  classes: {
    validated: { tpot: [0.8, 1.25], ttft: [0.5, 2] },
    setup: { tpot: [0.7, 1.4], ttft: [0.4, 2.2] },
    system: { tpot: [0.6, 1.4], ttft: [0.4, 2.2] },
    model: { tpot: [0.7, 1.6], ttft: [0.4, 2.4] },
    engine: { tpot: [0.5, 1.8], ttft: [0.3, 3] },
    several: { tpot: [0.5, 2], ttft: [0.25, 4] },
    observed: { tpot: [0.9, 1.1], ttft: [0.8, 1.25] },
    observedFar: { tpot: [0.8, 1.25], ttft: [0.5, 2] },
  },
  kernelsElsewhere: [0.5, 2],
  setups: [
    setup("kimi-k2", "h200-sxm", "vllm", { tpotScale: 2, ttftScale: 0.5 }),
    setup("gpt-oss-120b", "h100-sxm", "vllm", { points: 90 }),
    setup("gpt-oss-120b", "h200-sxm", "sglang"),
    setup("glm-5", "h100-sxm", "vllm"),
  ],
};

const query = (parts: Partial<BandQuery> = {}): BandQuery => ({
  model: "kimi-k2",
  device: "h200-sxm",
  engine: "vllm",
  observed: false,
  features: [],
  ...parts,
});

const near = (band: readonly [number, number]) => band.map((value) => expect.closeTo(value, 9) as number);

describe("the bands of a deployment", () => {
  test("in a validated setup are those of unseen deployments, scaled to the setup", () => {
    const { basis, tpot, ttft } = bandsFor(query(), table);
    expect(basis).toBe("validated");
    expect(tpot).toEqual(near([0.64, 1.5625]));
    expect(ttft).toEqual(near([Math.sqrt(0.5), Math.sqrt(2)]));
  });

  test("take the class of what else was measured with the engine, and near is a difference in one part", () => {
    const cases = [
      // Its model on a relative, and its device with another model.
      [{ device: "h100-sxm" }, table.setups, "setup"],
      [{ model: "minimax-m2.5" }, table.setups, "model"],
      [{ device: "h100-sxm" }, table.setups.slice(0, 1), "system"],
    ] as const;
    for (const [parts, setups, basis] of cases) {
      const found = bandsFor(query(parts), { ...table, setups });
      expect([parts, found.basis, found.unvalidated]).toEqual([parts, basis, null]);
      expect(found.tpot).toEqual(near(table.classes[basis].tpot));
    }
  });

  test("are unvalidated where the engine, or several parts, are others, and then come from left-out ones of these", () => {
    const cases = [
      [{ engine: "sglang", model: "gpt-oss-120b", device: "h100-sxm" }, "system"],
      [{ engine: "sglang", device: "h100-sxm" }, "modelAndSystem"],
      [{ engine: "llama.cpp" }, "engine"],
      [{ engine: "llama.cpp", model: "deepseek-v3" }, "several"],
      [{ device: "mi300x" }, "unmeasured"],
      [{ features: ["experts in host memory"] }, "unmeasured"],
    ] as const;
    for (const [parts, basis] of cases) {
      const found = bandsFor(query(parts), table);
      expect([parts, found.basis]).toEqual([parts, basis]);
      if (basis === "system") expect(found.unvalidated).toBeNull();
      else expect(found.unvalidated).toMatch(/^no served measurement /);
    }
    expect(bandsFor(query({ features: ["experts in host memory"], device: "mi300x" }), table).unvalidated).toMatch(
      /with experts in host memory, and none on mi300x/,
    );
    expect(bandsFor(query({ engine: "sglang", device: "h100-sxm" }), table).tpot).toEqual(near([0.6, 1.6]));
    // The errors of several and of kernels, both a factor of two either way, lie at right angles.
    expect(bandsFor(query({ device: "mi300x" }), table).tpot).toEqual(near([2 ** -Math.SQRT2, 2 ** Math.SQRT2]));
  });

  test("say what was not measured as one sentence, however much it is", () => {
    const features = ["experts in host memory", "DeepEP", "half batches", "96 devices a replica"];
    for (let count = 1; count <= features.length; count++)
      for (const device of ["h200-sxm", "mi300x"]) {
        const of = features.slice(0, count);
        const list = count === 1 ? of[0] : `${of.slice(0, -1).join(", ")} or ${of[count - 1]}`;
        const elsewhere = device === "mi300x" ? ", and none on mi300x or another device of its architecture" : "";
        expect(bandsFor(query({ features: of, device }), table).unvalidated).toBe(
          `no served measurement with ${list}${elsewhere}`,
        );
      }
    expect(bandsFor(query({ engine: "llama.cpp", model: "deepseek-v3" }), table).unvalidated).toBe(
      "no served measurement with llama.cpp, and none of deepseek-v3 on the architecture of h200-sxm",
    );
    expect(bandsFor(query({ engine: "sglang", device: "h100-sxm" }), table).unvalidated).toMatch(
      /^no served measurement with sglang of \S+, and none with it on h100-sxm$/,
    );
  });

  test("of something further away are never narrower", () => {
    for (const one of [table, errorBandTable])
      for (const latency of ["tpot", "ttft"] as const)
        for (const [near, far] of [
          ["validated", "setup"],
          ["setup", "system"],
          ["setup", "model"],
          ["model", "modelAndSystem"],
          ["system", "modelAndSystem"],
          ["modelAndSystem", "several"],
          ["engine", "several"],
          ["several", "unmeasured"],
          ["observed", "observedFar"],
        ] as const) {
          const [inner, outer] = [basisBands(near, one)[latency], basisBands(far, one)[latency]];
          expect([far, latency, outer[0] <= inner[0], inner[1] <= outer[1]]).toEqual([far, latency, true, true]);
        }
  });

  test("with points given are those of observed series: scaled in a setup, wider where nothing near was measured", () => {
    const own = bandsFor(query({ observed: true }), table);
    expect(own).toMatchObject({ basis: "observed", unvalidated: null, tpot: near([0.81, 1.21]) });
    expect(bandsFor(query({ observed: true, device: "h100-sxm" }), table).tpot).toEqual(near([0.9, 1.1]));
    const far = bandsFor(query({ observed: true, engine: "llama.cpp" }), table);
    expect(far).toMatchObject({ basis: "observedFar", unvalidated: null, tpot: near([0.8, 1.25]) });
    const further = bandsFor(query({ observed: true, device: "mi300x" }), table);
    expect(further.tpot).toEqual(near([0.8 ** Math.SQRT2, 1.25 ** Math.SQRT2]));
  });

  test("narrow with a point, whatever was measured", () => {
    for (const parts of [
      {},
      { device: "h100-sxm" },
      { engine: "llama.cpp" },
      { device: "mi300x" },
      { features: ["x"] },
    ])
      for (const one of [table, errorBandTable]) {
        const [stated, given] = [false, true].map((observed) => bandsFor(query({ ...parts, observed }), one));
        expect(widthOf(given!.tpot)).toBeLessThan(widthOf(stated!.tpot));
      }
  });
});

test("two errors of a forecast add up: their middles, and the squares of their widths", () => {
  expect(combinedBand([0.5, 2], [1, 1])).toEqual(near([0.5, 2]));
  expect(combinedBand([0.5, 2], [1, 4])).toEqual(near([2 * 2 ** -Math.SQRT2, 2 * 2 ** Math.SQRT2]));
  expect(
    bandAround([
      [0.5, 1.2],
      [0.8, 2],
    ]),
  ).toEqual([0.5, 2]);
});

describe("the committed table", () => {
  test("holds bands around 1 for a nominal 80 %, narrower for what the forecast has seen", () => {
    const { nominal, classes, setups } = errorBandTable;
    expect(nominal).toBe(0.8);
    for (const { tpot, ttft } of Object.values(classes))
      for (const [low, high] of [tpot, ttft]) expect(0 < low && low <= 1 && 1 <= high).toBe(true);
    expect(setups.length).toBeGreaterThan(0);
    for (const { model, device, engine, points, tpotScale, ttftScale, deployments } of setups) {
      expect(Object.keys(catalogue)).toContain(model);
      expect(deviceIds).toContain(device);
      expect(engineIds).toContain(engine);
      expect(points).toBeGreaterThan(0);
      expect(deployments.reduce((sum, deployment) => sum + deployment.points, 0)).toBe(points);
      expect(Math.min(tpotScale, ttftScale)).toBeGreaterThan(0);
    }
    expect(new Set(setups.map(({ model, device, engine }) => [model, device, engine].join())).size).toBe(setups.length);
  });
});

describe("the bands of a measured point", () => {
  const [validated] = errorBandTable.setups;
  const point = servingPoint({
    model: validated?.model ?? "",
    system: (validated?.device ?? "").replace("-", "_"),
    engine: validated?.engine ?? "",
  });

  test("are those of its setup unless the setup was left out of the fit", () => {
    expect(setupOf(point)).toMatchObject({ model: validated?.model, device: validated?.device });
    const own = bandsFor({ ...(validated as ValidatedSetup), observed: false, features: [] });
    for (const leaveOut of [null, "deployment", "point"] as const)
      expect(bandsOfPoint(point, leaveOut, false)).toEqual(own);
    for (const leaveOut of ["setup", "model", "system", "engine"] as const)
      expect(bandsOfPoint(point, leaveOut, false)).toEqual(errorBandTable.classes[leaveOut]);
    expect(bandsOfPoint(point, "near", false)).toEqual(errorBandTable.classes.several);
    expect(bandsOfPoint(point, "near-point", true)).toEqual(errorBandTable.classes.observedFar);
  });

  test("are those of observed series where a point speaks for it", () => {
    const own = bandsFor({ ...(validated as ValidatedSetup), observed: true, features: [] });
    for (const leaveOut of [null, "point"] as const) expect(bandsOfPoint(point, leaveOut, true)).toEqual(own);
  });
});
