import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { sourceKinds } from "../../src/core/sourced.ts";
import { engineIds, engineNamed, engineProfileNamed, parseEngineProfile } from "../../src/engine/catalogue.ts";
import { links, tiers } from "../../src/hardware/catalogue.ts";
import { checkProfile } from "../../src/hardware/check.ts";
import {
  deviceIds,
  deviceNamed,
  deviceProfileNamed,
  nodeNamed,
  systemIds,
  systemProfileNamed,
} from "../../src/hardware/named-profiles.ts";
import type { DeviceProfile } from "../../src/hardware/profile-schema.ts";
import { parseDeviceProfile, parseSystemProfile } from "../../src/hardware/read-profiles.ts";
import { resolveDevice, resolveNode } from "../../src/hardware/resolve.ts";

const folder = "src/hardware/catalogue";
const files = [`${folder}/devices`, `${folder}/systems`, "src/engine/catalogue"].flatMap((path) =>
  readdirSync(path).map((name) => `${path}/${name}`),
);
const tables = ["links", "tiers", "efficiency-presets"].map((name) => `${folder}/${name}.json`);

/** Paths of numbers and booleans that stand alone instead of in a {value, kind, source}. */
function bareValues(value: unknown, at = ""): string[] {
  if (typeof value === "number" || typeof value === "boolean") return [at];
  if (typeof value !== "object" || value === null) return [];
  if ("source" in value && "kind" in value && "value" in value) return [];
  return Object.entries(value).flatMap(([key, item]) => bareValues(item, `${at}.${key}`));
}

/** A changeable copy of a profile as its file has it. */
const copyOf = (profile: DeviceProfile) => structuredClone(profile) as unknown as Record<string, never>;

function problemsOf(read: () => unknown) {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  throw new Error("was accepted");
}

describe("the profiles that come with moecast", () => {
  test("every file of the folders is in its table, and the other way round", () => {
    const ids = [...deviceIds, ...systemIds, ...engineIds];
    expect(files.map((file) => file.replace(/^.*\/(.*)\.json$/, "$1")).sort()).toEqual([...ids].sort());
  });

  test.each([...files, ...tables])("%s gives a source and a kind for every number", (file) => {
    const json: unknown = JSON.parse(readFileSync(file, "utf8"));
    expect(bareValues(json)).toEqual([]);
    const kinds = [...readFileSync(file, "utf8").matchAll(/"source": "(.*)"/g)];
    expect(kinds.every((match) => (match[1]?.length ?? 0) >= 8)).toBe(true);
  });

  test.each(deviceIds)("%s is sound and keeps its id", (id) => {
    const profile = deviceProfileNamed(id);
    expect(profile.id).toBe(id);
    expect(checkProfile(profile)).toEqual([]);
    const device = deviceNamed(id);
    expect(device.memoryBytesPerSecond).toBe(profile.memory.bytesPerSecond.value);
    // Launches may lie in the overheads of the engine.
    for (const [key, value] of Object.entries(device.efficiency))
      if (typeof value === "number") expect(value, key).toBeGreaterThan(key.endsWith("LaunchNs") ? -1 : 0);
  });

  test.each(systemIds)("%s puts its device into a node with its tiers nearest first", (id) => {
    const node = nodeNamed(id);
    expect(systemProfileNamed(id).id).toBe(id);
    expect(node.device.id).toBe(systemProfileNamed(id).device);
    const order = node.tiers.map((tier) => ["ddr", "cxl", "nvme"].indexOf(tier.kind));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test.each(engineIds)("%s resolves to plain numbers", (id) => {
    expect(engineProfileNamed(id).id).toBe(id);
    const engine = engineNamed(id);
    for (const kernels of Object.values(engine.layerKernels)) expect(kernels).toBeGreaterThan(0);
    expect(engine.kernelOverheadNs).toBe(engineProfileNamed(id).kernelOverheadNs.value);
    expect(engine.expertExchange).toMatch(/^all/);
  });

  test("a device's own efficiency goes before that of its preset", () => {
    const profile = deviceProfileNamed("h100-sxm");
    const own = {
      ...profile,
      efficiency: { gemmCompute: { value: 0.123, kind: "measured" as const, source: "a test bench" } },
    };
    const device = resolveDevice(own);
    expect(device.efficiency.gemmCompute).toBe(0.123);
    expect(device.efficiency.gemmMemory).toBe(deviceNamed("t4").efficiency.gemmMemory);
  });

  test("prices are dated, within half a year of each other", () => {
    const dates = deviceIds.flatMap((id) => deviceProfileNamed(id).usdPerHour?.date ?? []);
    expect(dates.length).toBeGreaterThan(10);
    // A year alone stands for any day of it.
    expect(dates.every((date) => date === "2026" || (date >= "2026-01-01" && date <= "2026-06-30"))).toBe(true);
  });

  test("link and tier ids are unique", () => {
    for (const ids of [links().map((link) => link.id), tiers().map((tier) => tier.id)])
      expect(new Set(ids).size).toBe(ids.length);
  });

  test("INT8 is known to collapse on B300", () => {
    const { peak } = deviceNamed("b300-sxm");
    expect(peak.int8).toBeLessThan((peak.fp8 ?? 0) / 25);
  });

  test("only the four kinds of source are used", () => {
    expect(sourceKinds).toEqual(["measured", "vendor", "thirdParty", "estimated"]);
  });
});

describe("a profile is refused", () => {
  const number = (value: unknown) => ({ value, kind: "measured", source: "a test bench" });
  const h100 = () => copyOf(deviceProfileNamed("h100-sxm"));
  const refused = (change: object) => problemsOf(() => parseDeviceProfile({ ...h100(), ...change }, "mine.json"));

  test("that takes the sparse peak for the dense one", () => {
    const peak = { bf16: number(989e12), fp8: number(3958e12) };
    const achieved = {};
    expect(refused({ peak, achieved })).toMatchObject([
      { file: "mine.json", at: "h100-sxm.peak.fp8", found: 3958e12, hint: expect.stringContaining("sparse") },
    ]);
    expect(refused({ peak: { bf16: number(989e12), int8: number(3958e12) }, achieved })).toHaveLength(1);
    expect(refused({ peak: { bf16: number(989e12), fp8: number(1978e12), fp4: number(8e15) }, achieved })).toHaveLength(
      1,
    );
  });

  test("whose peak passes the vendor's", () => {
    const peak = { bf16: number(1979e12) };
    const vendorPeak = { bf16: number(989.5e12) };
    expect(refused({ peak, vendorPeak, achieved: {} })).toMatchObject([{ at: "h100-sxm.peak.bf16" }]);
  });

  test("whose measured rates pass the nominal ones", () => {
    expect(refused({ achieved: { memoryBytesPerSecond: number(8.06e12) } })).toMatchObject([
      { at: "h100-sxm.achieved.memoryBytesPerSecond", found: 8.06e12 },
    ]);
    expect(refused({ achieved: { bf16: number(1e15) } })).toMatchObject([{ at: "h100-sxm.achieved.bf16" }]);
    expect(refused({ achieved: { fp4: number(1e15) } })).toMatchObject([{ at: "h100-sxm.achieved.fp4" }]);
  });

  test.each([0, -0.1, 1.01])("with an efficiency of %d", (value) => {
    const efficiency = { gemmCompute: number(value) };
    expect(refused({ efficiency })).toMatchObject([{ at: "efficiency.gemmCompute.value", found: value }]);
  });

  test("with a bandwidth in GB/s or a peak in TFLOP/s", () => {
    const memory = { technology: "HBM3", bytes: number(80e9), bytesPerSecond: number(3350) };
    expect(refused({ memory })).toMatchObject([
      { at: "memory.bytesPerSecond.value", expected: "bytes per second, not GB/s" },
    ]);
    expect(refused({ peak: { bf16: number(989) } })).toMatchObject([{ expected: "FLOP/s, not TFLOP/s" }]);
  });

  test("with a number that has no source", () => {
    const problems = refused({
      powerW: { value: 700, kind: "vendor" },
      idlePowerW: { value: 70, source: "a test bench" },
    });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatchObject({ at: "powerW.source", hint: expect.stringContaining("source") });
    expect(problems[1]).toMatchObject({ at: "idlePowerW.kind" });
  });

  test("with a price without its date", () => {
    expect(refused({ usdPerHour: number(2) })).toMatchObject([{ at: "usdPerHour.date" }]);
    const dated = { ...(number(2) as object), date: "last spring" };
    expect(refused({ usdPerHour: dated })).toMatchObject([{ at: "usdPerHour.date", found: "last spring" }]);
  });

  test("with unknown keys, a missing peak, an idle power above the active one or a domain without a link", () => {
    expect(refused({ bandwith: number(1e12) })).toMatchObject([{ found: "bandwith" }]);
    expect(refused({ peak: {} })).toMatchObject([{ at: "peak.bf16" }]);
    expect(refused({ idlePowerW: number(800) })).toMatchObject([{ at: "h100-sxm.idlePowerW" }]);
    expect(refused({ scaleUp: null })).toMatchObject([{ at: "h100-sxm.scaleUpDomain" }]);
    expect(refused({ efficiency: { rooflineNorm: number(0.5) } })).toMatchObject([
      { at: "h100-sxm.efficiency.rooflineNorm" },
    ]);
  });

  test("that is hostile", () => {
    expect(() => parseDeviceProfile(JSON.parse('{"__proto__": {"id": "x"}}'), "mine.json")).toThrow(InvalidInputError);
    expect(() => parseDeviceProfile(null, "mine.json")).toThrow(InvalidInputError);
    expect(() => parseSystemProfile([], "mine.json")).toThrow(InvalidInputError);
    expect(() => parseEngineProfile("vllm", "mine.json")).toThrow(InvalidInputError);
  });

  test("that refers to a link, tier or preset nobody has", () => {
    const lost = (change: object) =>
      problemsOf(() => resolveDevice(parseDeviceProfile({ ...h100(), ...change }, "mine.json")));
    expect(lost({ scaleUp: "nvlink-9" })).toMatchObject([{ at: "h100-sxm.scaleUp", found: "nvlink-9" }]);
    expect(lost({ efficiencyPreset: "tpu" })).toMatchObject([{ found: "tpu" }]);
    const bare = { ...h100(), efficiency: {} } as Record<string, unknown>;
    delete bare["efficiencyPreset"];
    expect(problemsOf(() => resolveDevice(parseDeviceProfile(bare, "mine.json"))).length).toBeGreaterThan(10);
    const system = parseSystemProfile(
      { ...systemProfileNamed("t4-1"), tiers: [{ tier: "tape", bytes: number(1e9) }] },
      "s",
    );
    expect(problemsOf(() => resolveNode(system, deviceNamed("t4")))).toMatchObject([{ found: "tape" }]);
  });
});

describe("a profile of the user's own", () => {
  test("may bring its links, tiers and every efficiency with it", () => {
    const number = (value: number) => ({ value, kind: "measured", source: "my own bench" });
    const wire = {
      id: "wire",
      name: "Wire",
      bytesPerSecond: number(1e9),
      efficiency: number(0.5),
      latencyNs: number(5),
    };
    const profile = parseDeviceProfile(
      { ...copyOf(deviceProfileNamed("t4")), id: "mine", hostLink: wire },
      "mine.json",
    );
    const device = resolveDevice(profile);
    expect(device.hostLink).toEqual({ name: "Wire", bytesPerSecond: 1e9, latencyNs: 5, efficiency: 0.5 });
    const disk = {
      id: "d",
      name: "Disk",
      kind: "nvme",
      bytesPerSecond: number(4e8),
      efficiency: number(1),
      latencyNs: number(7),
    };
    const system = parseSystemProfile(
      {
        id: "box",
        name: "Box",
        device: "mine",
        devicesPerNode: number(1),
        tiers: [{ tier: disk, bytes: number(1e12), units: number(2) }],
      },
      "box.json",
    );
    // Two disks side by side give 800 MB/s, whatever the wire behind them does.
    expect(resolveNode(system, device).tiers[0]?.read).toMatchObject({
      bytesPerSecond: 8e8,
      efficiency: 1,
      latencyNs: 7,
    });
  });
});

describe("names", () => {
  test("an unknown name lists the known ones and the nearest", () => {
    expect(problemsOf(() => nodeNamed("h100-smx-8"))).toMatchObject([
      { at: "system", hint: 'did you mean "h100-sxm-8"?' },
    ]);
    expect(problemsOf(() => deviceNamed("h100-sxm-8"))[0]?.hint).toContain("another kind");
    expect(problemsOf(() => engineNamed("constructor"))).toHaveLength(1);
  });
});
