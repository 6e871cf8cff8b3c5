import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { resolveHardware } from "../../src/resolve/resolve-hardware.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

const resolved = (hardware: string) =>
  resolveHardware(parseScenario(minimal.replace("{ system: h100-sxm-8 }", hardware), "test.yaml"), noFiles as never);

async function problems(hardware: string) {
  try {
    await resolved(hardware);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  throw new Error("was accepted");
}

describe("hardware.host", () => {
  test("is the system's by default, and says what it rests on apart from the devices", async () => {
    const { node, ledger, hostLedger } = await resolved("{ system: rtx4090-desktop }");
    expect(node.host).toMatchObject({ count: 1, device: { id: "ryzen-7950x", cores: 16 } });
    expect(ledger.some(({ topic }) => topic === "host processors")).toBe(false);
    expect(hostLedger).toEqual([
      { topic: "host processors", fidelity: "assumed", detail: expect.stringContaining("1 x AMD Ryzen 9 7950X: ") },
      { topic: "host processors", fidelity: "assumed", detail: expect.stringContaining("all cores compute experts") },
    ]);
  });

  test("takes another processor, their number, and the cores that compute experts", async () => {
    const { node, ledger, hostLedger } = await resolved(
      "{ system: h100-sxm-8, host: { processor: epyc-9654, count: 2, threads: 96 } }",
    );
    expect(node.host).toMatchObject({ count: 2, device: { id: "epyc-9654", cores: 48 } });
    expect(node.host!.device.peak.bf16).toBeCloseTo(7.37e12 / 2, -6);
    expect(hostLedger[1]?.detail).toContain("96 of 192 cores compute experts");
    expect(hostLedger[1]?.detail).toContain("each socket reads memory of its own");
    expect(ledger).toContainEqual({
      topic: "hardware overrides",
      fidelity: "assumed",
      detail: "host.processor, host.count, host.threads: as the scenario states",
    });
  });

  test("gives processors to a system whose own are not known", async () => {
    const { node } = await resolved("{ system: ascend-800i-a2-8, host: { processor: epyc-7742 } }");
    expect(node.host).toMatchObject({ count: 1, device: { id: "epyc-7742" } });
  });

  test.each([
    ["{ system: ascend-800i-a2-8, host: { count: 2 } }", "hardware.host.processor", /that of .* is not known/],
    [
      "{ system: rtx4090-desktop, host: { processor: rtx-4090 } }",
      "hardware.host.processor",
      /a processor: .*ryzen-7950x/,
    ],
    ["{ system: rtx4090-desktop, host: { processor: ryzen-7959x } }", "hardware.host.processor", /a processor: /],
    ["{ system: rtx4090-desktop, host: { threads: 17 } }", "hardware.host.threads", /at most the 16 cores of 1 x /],
    ["{ system: mac-m2-ultra, host: { processor: ryzen-7950x } }", "hardware.host", /no host: .* has no host memory/],
    [
      "{ system: h100-sxm-8, sockets: { count: 4, bandwidth: 20GB/s }, host: { count: 2 } }",
      "hardware.host.count",
      /the 4 of hardware.sockets.count/,
    ],
  ])("%s is refused", async (hardware, at, expected) => {
    expect(await problems(hardware)).toMatchObject([
      { at, expected: expect.stringMatching(expected), file: "test.yaml", line: 4 },
    ]);
  });
});
