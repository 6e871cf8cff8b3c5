import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FittedLink, fitLink, fitLinkThrough } from "../../../src/calibrate/live/fit-link.ts";
import { fitLive } from "../../../src/calibrate/live/fit-live.ts";
import type { LiveProfile } from "../../../src/calibrate/live/live-profile.ts";
import { liveScenario } from "../../../src/calibrate/live/live-scenario.ts";
import { parseEngineProfile } from "../../../src/engine/catalogue.ts";
import { parseDeviceProfile } from "../../../src/hardware/read-profiles.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { machine, measurementsOf } from "./measurements.ts";

describe("a line through transfers", () => {
  test("gives back latency and bandwidth of exact ones", () => {
    const latency = fc.double({ min: 0, max: 1e6, noNaN: true });
    const bandwidth = fc.double({ min: 1e7, max: 1e11, noNaN: true });
    fc.assert(
      fc.property(latency, bandwidth, (latencyNs, bytesPerSecond) => {
        const rows = [1e3, 1e5, 1e7].map((bytes) => ({ bytes, ns: latencyNs + (1e9 * bytes) / bytesPerSecond }));
        const link = fitLink(rows)!;
        for (const { bytes, ns } of rows)
          expect((link.latencyNs + (1e9 * bytes) / link.bytesPerSecond) / ns).toBeCloseTo(1, 6);
        expect(link.meanError).toBeLessThan(1e-6);
      }),
    );
  });

  test("through one transfer is exact there, whatever the others take, and least wrong about those", () => {
    const exact = { bytes: 4e6, ns: 2e6 };
    const on = (bytes: number) => ({ bytes, ns: 5e5 + (1.5e6 * bytes) / 4e6 });
    expect(fitLinkThrough(exact, [on(1e6), on(2e6)])).toMatchObject({ meanError: expect.closeTo(0, 9) as number });
    for (const others of [
      [
        { bytes: 1e6, ns: 3e5 },
        { bytes: 2e6, ns: 4e5 },
      ],
      [
        { bytes: 1e6, ns: 1.2e6 },
        { bytes: 2e6, ns: 1.1e6 },
      ],
      [{ bytes: 1e6, ns: 5e6 }],
      [],
    ]) {
      const link = fitLinkThrough(exact, others)!;
      const time = ({ latencyNs, bytesPerSecond }: FittedLink, bytes: number) =>
        latencyNs + (1e9 * bytes) / bytesPerSecond;
      expect(time(link, exact.bytes)).toBeCloseTo(exact.ns, 3);
      expect(link.latencyNs).toBeGreaterThanOrEqual(0);
      // No other line through that transfer, without a negative latency, has a smaller squared error.
      const squares = (nsPerByte: number) =>
        others.reduce((sum, { bytes, ns }) => sum + ((exact.ns + nsPerByte * (bytes - exact.bytes)) / ns - 1) ** 2, 0);
      const best = squares(1e9 / link.bytesPerSecond);
      for (let share = 0.01; share <= 1; share += 0.01)
        expect(squares((share * exact.ns) / exact.bytes)).toBeGreaterThanOrEqual(best - 1e-12);
    }
    expect(fitLinkThrough({ bytes: 1e6, ns: 0 }, [exact])).toBeNull();
  });

  test("takes no negative latency, and one size for a bandwidth", () => {
    // Larger ones are slower per byte: the line would cut the axis below zero.
    const link = fitLink([
      { bytes: 1000, ns: 1000 },
      { bytes: 2000, ns: 4000 },
    ])!;
    expect(link.latencyNs).toBe(0);
    expect(link.meanError).toBeGreaterThan(0.1);
    expect(fitLink([{ bytes: 500, ns: 1000 }])).toEqual({ latencyNs: 0, bytesPerSecond: 5e8, meanError: 0 });
    expect(fitLink([])).toBeNull();
  });
});

describe("profiles of a measured machine", () => {
  const profile = fitLive(measurementsOf(8));

  test("are profiles that every other command takes", () => {
    expect(parseDeviceProfile(JSON.parse(JSON.stringify(profile.device)), "device").id).toBe("live-test");
    expect(parseEngineProfile(JSON.parse(JSON.stringify(profile.engine)), "engine").id).toBe("tfjs-test");
  });

  test("hold the links that were measured", () => {
    const { fetch, diskWarm, diskCold } = profile.links;
    expect(fetch.latencyNs).toBeCloseTo(machine.fetchLatencyNs, 3);
    expect(fetch.bytesPerSecond / machine.fetchBytesPerSecond).toBeCloseTo(1, 6);
    expect(diskWarm).toEqual(diskCold);
    expect(diskWarm?.latencyNs).toBeCloseTo(machine.diskLatencyNs, 3);
  });

  test("are numbers where the noise was larger than what was measured", () => {
    const nothing = <Row extends { ns: number }>(rows: readonly Row[]) => rows.map((row) => ({ ...row, ns: 0 }));
    const { experts, products, fetches, copies, layer, step, ...rest } = measurementsOf(4);
    const silent = { ...rest, experts: nothing(experts), fetches: nothing(fetches), copies: nothing(copies) };
    const { device, engine } = fitLive({
      ...silent,
      products: nothing(products),
      layer: { ...layer, ns: 0 },
      step: { ...step, ns: 0 },
    });
    const numbers = (value: unknown): number[] => {
      if (typeof value === "number") return [value];
      return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbers) : [];
    };
    expect(numbers([device, engine]).filter((value) => !Number.isFinite(value))).toEqual([]);
  });

  test("take as long for the experts that were measured as those took, whatever smaller ones do", () => {
    const given = measurementsOf(1);
    const [own, ...others] = given.fetches;
    const fetches = [own!, ...others.map((row) => ({ ...row, ns: row.ns / 10 }))];
    const { fetch } = fitLive({ ...given, fetches }).links;
    expect(fetch.latencyNs + (1e9 * own!.bytes) / fetch.bytesPerSecond).toBeCloseTo(own!.ns, 3);
  });

  test("say where a GPU's memory is a guess, and only there", () => {
    const given = measurementsOf(1);
    const on = (hardware: "gpu" | "cpu", memoryBytes: number | null) =>
      fitLive({ ...given, backend: { ...given.backend, hardware, memoryBytes } });
    const memoryOf = ({ device }: LiveProfile) => device.memory.bytes;
    const warned = (live: LiveProfile) => liveScenario(live).includes("does not tell how much memory");
    expect(memoryOf(on("gpu", null))).toMatchObject({ value: given.hostBytes, kind: "estimated" });
    expect(warned(on("gpu", null))).toBe(true);
    expect(memoryOf(on("cpu", null))).toMatchObject({ value: given.hostBytes, kind: "measured" });
    expect(memoryOf(on("gpu", 24e9))).toMatchObject({ value: 24e9, kind: "measured" });
    expect([on("cpu", null), on("gpu", 24e9)].map(warned)).toEqual([false, false]);
    expect(parseScenario(liveScenario(on("gpu", null)), "scenario.yaml").hardware.devicesPerNode).toBe(1);
  });

  test("no kernel is faster than the peak that the profile states", () => {
    const { peak, achieved } = profile.device;
    expect(achieved?.bf16?.value).toBeLessThan(peak.bf16.value);
  });

  test("the scenario beside them is one", () => {
    const scenario = parseScenario(liveScenario(profile), "scenario.yaml", { settings: [] });
    expect(scenario.policy.offload?.overlap).toBe(false);
    expect(scenario.hardware.device?.file).toBeDefined();
  });
});
