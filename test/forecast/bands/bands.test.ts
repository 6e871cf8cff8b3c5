import { describe, expect, test } from "vitest";
import { type BandQuery, bandsFor } from "../../../src/forecast/bands/bands.ts";
import type { ErrorBandTable, ValidatedGroup } from "../../../src/forecast/bands/error-band-table.ts";
import { errorBandTable } from "../../../src/forecast/bands/error-band-table.ts";
import { groupDistance, nearestGroup } from "../../../src/forecast/bands/nearest-group.ts";
import { bandsOfPoint, groupOf } from "../../../src/forecast/bands/point-bands.ts";
import { deviceIds, engineIds } from "../../../src/hardware/systems.ts";
import { catalogue } from "../../../src/models/catalogue.ts";
import { servingPoint } from "../example-points.ts";

const group = (model: string, device: string, engine: string, parts: Partial<ValidatedGroup> = {}): ValidatedGroup => ({
  model,
  device,
  engine,
  points: 50,
  tpotMedianPercent: 10,
  ttftMedianPercent: 20,
  tpotScale: 1,
  ttftScale: 1,
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
  groups: [
    group("kimi-k2", "h200-sxm", "vllm", { tpotScale: 2, ttftScale: 0.5 }),
    group("gpt-oss-120b", "h100-sxm", "vllm", { points: 90 }),
    group("gpt-oss-120b", "h200-sxm", "sglang"),
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
  test("in a validated group are those of unseen deployments, scaled to the group", () => {
    const { basis, nearest, tpot, ttft } = bandsFor(query(), table);
    expect([basis, nearest]).toEqual(["validated", table.groups[0]]);
    expect(tpot).toEqual(near([0.64, 1.5625]));
    expect(ttft).toEqual(near([Math.sqrt(0.5), Math.sqrt(2)]));
  });

  test("near a group are those of left-out groups, unscaled", () => {
    const { basis, nearest, tpot } = bandsFor(query({ model: "glm-5" }), table);
    expect([basis, nearest]).toEqual(["elsewhere", table.groups[0]]);
    expect(tpot).toEqual(near([0.5, 2]));
  });

  test("far from all groups are wider still, and name none", () => {
    for (const parts of [
      { engine: "llama.cpp" },
      { device: "a100-sxm" },
      { device: "ascend-910b" },
      { unvalidated: ["x"] },
    ]) {
      const { basis, nearest, tpot } = bandsFor(query(parts), table);
      expect([basis, nearest]).toEqual(["far", null]);
      expect(tpot).toEqual(near([2 ** -1.5, 2 ** 1.5]));
    }
  });

  test("with points given are those of observed series: scaled in a group, widened far from all", () => {
    const own = bandsFor(query({ observed: true }), table);
    expect([own.basis, own.nearest]).toEqual(["observed", table.groups[0]]);
    expect(own.tpot).toEqual(near([0.81, 1.21]));
    const other = bandsFor(query({ observed: true, model: "glm-5" }), table);
    expect(other.tpot).toEqual(near([0.9, 1.1]));
    const far = bandsFor(query({ observed: true, engine: "llama.cpp" }), table);
    expect([far.basis, far.nearest]).toEqual(["observed", null]);
    expect(far.ttft).toEqual(near([0.8 ** 1.5, 1.25 ** 1.5]));
  });
});

describe("the nearest group", () => {
  test("is the same, then of the same device, then of the model on its architecture, then of the architecture", () => {
    const [exact, sameModel, otherModel] = ["kimi-k2", "kimi-k2", "glm-5"].map((model, i) =>
      group(model, i === 0 ? "h200-sxm" : "h100-sxm", "vllm"),
    ) as [ValidatedGroup, ValidatedGroup, ValidatedGroup];
    const sameDevice = group("glm-5", "h200-sxm", "vllm", { points: 1 });
    const order = [exact, sameDevice, sameModel, otherModel];
    for (let first = 0; first < order.length; first += 1) {
      expect(nearestGroup(query(), order.slice(first).reverse())).toBe(order[first]);
      expect(groupDistance(query(), order[first] as ValidatedGroup)).toBe(first);
    }
  });

  test("is never one of another engine or architecture", () => {
    for (const other of [group("kimi-k2", "h200-sxm", "sglang"), group("kimi-k2", "b200-sxm", "vllm")])
      expect(nearestGroup(query(), [other])).toBeNull();
  });

  test("has the most points of equally near ones", () => {
    const groups = [
      group("glm-5", "h200-sxm", "vllm", { points: 5 }),
      group("mixtral-8x7b", "h200-sxm", "vllm", { points: 9 }),
    ];
    expect(nearestGroup(query(), groups)).toBe(groups[1]);
    expect(nearestGroup(query(), [...groups].reverse())).toBe(groups[1]);
  });
});

describe("the committed table", () => {
  test("holds bands around 1 for a nominal 80 %, narrower for what the forecast has seen", () => {
    const { nominal, classes, groups } = errorBandTable;
    expect(nominal).toBe(0.8);
    for (const { tpot, ttft } of Object.values(classes))
      for (const [low, high] of [tpot, ttft]) expect(0 < low && low < high).toBe(true);
    const width = ({ tpot }: { tpot: readonly [number, number] }) => Math.log(tpot[1] / tpot[0]);
    expect(width(classes.observed)).toBeLessThan(width(classes.elsewhere));
    expect(width(classes.validated)).toBeLessThan(width(classes.elsewhere));
    expect(groups.length).toBeGreaterThan(0);
    for (const { model, device, engine, points, tpotScale, ttftScale } of groups) {
      expect(Object.keys(catalogue)).toContain(model);
      expect(deviceIds).toContain(device);
      expect(engineIds).toContain(engine);
      expect(points).toBeGreaterThan(0);
      expect(Math.min(tpotScale, ttftScale)).toBeGreaterThan(0);
    }
    expect(new Set(groups.map(({ model, device, engine }) => [model, device, engine].join())).size).toBe(groups.length);
  });
});

describe("the bands of a measured point", () => {
  const [validated] = errorBandTable.groups;
  const point = servingPoint({
    model: validated?.model ?? "",
    system: (validated?.device ?? "").replace("-", "_"),
    engine: validated?.engine ?? "",
  });

  test("are those of its group unless the group was left out of the fit", () => {
    expect(groupOf(point)).toMatchObject({ model: validated?.model, device: validated?.device });
    const own = bandsFor({ ...(validated as ValidatedGroup), observed: false, unvalidated: [] });
    for (const leaveOut of [null, "deployment", "point"] as const)
      expect(bandsOfPoint(point, leaveOut, false)).toEqual(own);
    const { tpot } = errorBandTable.classes.elsewhere;
    for (const leaveOut of ["group", "model", "system", "engine"] as const)
      expect(bandsOfPoint(point, leaveOut, false).tpot).toEqual(near(tpot));
  });

  test("are those of observed series where a point speaks for it", () => {
    const own = bandsFor({ ...(validated as ValidatedGroup), observed: true, unvalidated: [] });
    for (const leaveOut of [null, "point"] as const) expect(bandsOfPoint(point, leaveOut, true)).toEqual(own);
  });
});
