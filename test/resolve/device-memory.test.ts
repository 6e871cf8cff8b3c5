import { describe, expect, test } from "vitest";
import { InfeasibleError } from "../../src/core/errors.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { deviceNamed, deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const on = (hardware: string) => parseScenario(minimal.replace("{ system: h100-sxm-8 }", hardware), "test.yaml");
const resolved = (hardware: string) => resolveScenario(on(hardware), noFiles);
const gibibyte = 2 ** 30;

describe("hardware.deviceMemory", () => {
  test("takes the place of the profile's, with as large a share kept by the driver", async () => {
    const { bytes } = deviceProfileNamed("m4-max").memory;
    const { config, ledger } = await resolved("{ system: mac-m4-max, deviceMemory: 64GiB }");
    expect(config.node.device.memoryBytes).toBeCloseTo(
      (deviceNamed("m4-max").memoryBytes / bytes.value) * 64 * gibibyte,
      0,
    );
    expect(config.node.device.memoryBytesPerSecond).toBe(deviceNamed("m4-max").memoryBytesPerSecond);
    expect(ledger.find(({ topic }) => topic === "hardware overrides")).toMatchObject({ fidelity: "assumed" });
  });

  test("is the profile's where it is left out or is what the profile has", async () => {
    const { bytes } = deviceProfileNamed("m4-max").memory;
    for (const hardware of ["{ system: mac-m4-max }", `{ system: mac-m4-max, deviceMemory: ${bytes.value}B }`])
      expect((await resolved(hardware)).config.node.device.memoryBytes).toBeCloseTo(
        deviceNamed("m4-max").memoryBytes,
        0,
      );
  });

  test("too small for the model is infeasible, not a defect", async () => {
    for (const memory of ["1B", "16GiB"])
      await expect(
        forecastScenario(on(`{ system: mac-m4-max, deviceMemory: ${memory} }`), noFiles),
      ).rejects.toBeInstanceOf(InfeasibleError);
  });
});
