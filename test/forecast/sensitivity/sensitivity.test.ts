import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { localFiles } from "../../../src/files/local-files.ts";
import { sensitivityOf } from "../../../src/forecast/sensitivity/sensitivity-of.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";

const file = join(import.meta.dirname, "..", "..", "..", "scenarios", "offload-4090.yaml");
const scenario = parseScenario(readFileSync(file, "utf8"), file, { settings: ["traffic.requests=2"] });

test("inputs are ordered by how far they move the figure; slower memory is slower, faster disks are faster", async () => {
  const told: number[] = [];
  const found = await sensitivityOf(
    scenario,
    { ...localFiles, onProgress: (done) => void told.push(done) },
    { spread: 0.2 },
  );
  const effects = found.inputs.map(({ effect }) => effect[found.by] ?? -1);
  expect(effects).toEqual([...effects].sort((a, b) => b - a));
  expect(found.by).toBe("tpotMean");
  const base = found.base.tpotMean!;
  for (const input of ["memoryBandwidth", "diskBandwidth", "hostLinkBandwidth", "expertSlots"] as const) {
    const { low, high } = found.inputs.find((one) => one.input === input)!;
    expect([input, low!.tpotMean! > base, high!.tpotMean! < base]).toEqual([input, true, true]);
  }
  expect(found.others.map(({ input }) => input)).toEqual(expect.arrayContaining(["scaleUpBandwidth", "popularity"]));
  expect(told).toEqual([...told].sort((a, b) => a - b));
  const again = await sensitivityOf(scenario, { ...localFiles }, { spread: 0.2 });
  expect(JSON.stringify(again)).toBe(JSON.stringify(found));
});
