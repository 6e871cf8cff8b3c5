import { describe, expect, test } from "vitest";
import { engineIds } from "../../../src/engine/catalogue.ts";
import { type BandQuery, bandsFor } from "../../../src/forecast/bands/bands.ts";
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
  classes: {
    validated: { tpot: [0.8, 1.25], ttft: [0.5, 2] },
    elsewhere: { tpot: [0.5, 2], ttft: [0.25, 4] },
    observed: { tpot: [0.9, 1.1], ttft: [0.8, 1.25] },
  },
  setups: [
    setup("kimi-k2", "h200-sxm", "vllm", { tpotScale: 2, ttftScale: 0.5 }),
    setup("gpt-oss-120b", "h100-sxm", "vllm", { points: 90 }),
    setup("gpt-oss-120b", "h200-sxm", "sglang"),
  ],
};

const query = (parts: Partial<BandQuery> = {}): BandQuery => ({
  model: "kimi-k2",
  device: "h200-sxm",
  engine: "vllm",
  observed: false,
  unvalidated: [],
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

  test("of an engine measured on its device or a relative are those of left-out setups, unscaled", () => {
    for (const parts of [{ model: "glm-5" }, { device: "h100-sxm" }, { model: "glm-5", device: "h100-sxm" }]) {
      const { basis, tpot } = bandsFor(query(parts), table);
      expect(basis).toBe("elsewhere");
      expect(tpot).toEqual(near([0.5, 2]));
    }
  });

  test("far from all setups are wider still", () => {
    for (const parts of [
      { engine: "llama.cpp" },
      { device: "a100-sxm" },
      { device: "ascend-910b" },
      { unvalidated: ["x"] },
    ]) {
      const { basis, tpot } = bandsFor(query(parts), table);
      expect(basis).toBe("far");
      expect(tpot).toEqual(near([2 ** -1.5, 2 ** 1.5]));
    }
  });

  test("with points given are those of observed series: scaled in a setup, widened far from all", () => {
    const own = bandsFor(query({ observed: true }), table);
    expect(own.basis).toBe("observed");
    expect(own.tpot).toEqual(near([0.81, 1.21]));
    const other = bandsFor(query({ observed: true, model: "glm-5" }), table);
    expect(other.tpot).toEqual(near([0.9, 1.1]));
    const far = bandsFor(query({ observed: true, engine: "llama.cpp" }), table);
    expect(far.basis).toBe("observed");
    expect(far.ttft).toEqual(near([0.8 ** 1.5, 1.25 ** 1.5]));
  });
});

describe("the committed table", () => {
  test("holds bands around 1 for a nominal 80 %, narrower for what the forecast has seen", () => {
    const { nominal, classes, setups } = errorBandTable;
    expect(nominal).toBe(0.8);
    for (const { tpot, ttft } of Object.values(classes))
      for (const [low, high] of [tpot, ttft]) expect(0 < low && low < high).toBe(true);
    const width = ({ tpot }: { tpot: readonly [number, number] }) => Math.log(tpot[1] / tpot[0]);
    expect(width(classes.observed)).toBeLessThan(width(classes.elsewhere));
    expect(width(classes.validated)).toBeLessThan(width(classes.elsewhere));
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
    const own = bandsFor({ ...(validated as ValidatedSetup), observed: false, unvalidated: [] });
    for (const leaveOut of [null, "deployment", "point"] as const)
      expect(bandsOfPoint(point, leaveOut, false)).toEqual(own);
    const { tpot } = errorBandTable.classes.elsewhere;
    for (const leaveOut of ["setup", "model", "system", "engine"] as const)
      expect(bandsOfPoint(point, leaveOut, false).tpot).toEqual(near(tpot));
  });

  test("are those of observed series where a point speaks for it", () => {
    const own = bandsFor({ ...(validated as ValidatedSetup), observed: true, unvalidated: [] });
    for (const leaveOut of [null, "point"] as const) expect(bandsOfPoint(point, leaveOut, true)).toEqual(own);
  });
});
