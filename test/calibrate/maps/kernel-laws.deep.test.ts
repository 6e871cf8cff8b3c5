import { describe, expect, test } from "vitest";
import { brokenLaws } from "../../../src/calibrate/maps/kernel-laws.ts";
import { type StorageFormat, storageFormats } from "../../../src/core/dtype.ts";
import { engineIds } from "../../../src/engine/catalogue.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import { chooseMap, widerOwnMap } from "../../../src/hardware/kernel-maps.ts";
import { activationsFor, mathFor } from "../../../src/hardware/math-format.ts";
import { deviceIds, deviceNamed } from "../../../src/hardware/named-profiles.ts";
import type { GroupedGemmOp } from "../../../src/hardware/op.ts";

/** Beyond the tolerance of the laws themselves: another kernel breaks one nearly everywhere, and by factors. */
const excessMost = 1.35;
const brokenShareMost = 0.2;
/** Maps of engines that run the same back end are 1.6 times apart at most; tables of another back end, 1.8 and more. */
const engineExcessMost = 1.12;

describe.each(deviceIds.filter((id) => deviceNamed(id).kernels !== undefined))("%s", (id) => {
  const device = deviceNamed(id);

  test("no map of experts is slower than a wider format's or another engine's at equal shapes, nor faster for more work", () => {
    for (const { engine, format, law, excess, shapes, broken } of brokenLaws(device)) {
      const name = `${engine} ${format}: ${JSON.stringify(law)}`;
      expect(excess, name).toBeLessThan(law.kind === "otherEngine" ? engineExcessMost : excessMost);
      expect(broken / shapes, name).toBeLessThan(brokenShareMost);
    }
  });

  test("no map that stands in for a narrow format is slower than the engine's own of the next wider one", () => {
    const formats = Object.keys(storageFormats) as StorageFormat[];
    for (const engine of engineIds) {
      const model = new CostModel(device, { device, devicesPerNode: 8, tiers: [] }, engine);
      for (const format of formats) {
        const chosen = chooseMap(device.kernels, "groupedGemm", engine, format);
        const wider = widerOwnMap(device.kernels, "groupedGemm", engine, format);
        if (chosen === null || wider === null || (chosen.sameEngine && chosen.sameWidth)) continue;
        const math = (of: StorageFormat) => mathFor(device, of, activationsFor(of, device));
        // Arithmetic that a device hardly has, such as int8 on B300, may well be slower.
        if ((device.peak[math(format)] ?? 0) < (device.peak[math(wider.format)] ?? 0)) continue;
        for (const op of decodes()) {
          const narrow = { ...op, weightFormat: format, math: math(format) };
          const wide = { ...op, weightFormat: wider.format, math: math(wider.format) };
          expect(model.opNs(narrow), `${engine} ${format} ${JSON.stringify(op)}`).toBeLessThanOrEqual(
            model.opNs(wide) * (1 + 1e-9),
          );
        }
      }
    }
  });
});

function* decodes(): Generator<GroupedGemmOp> {
  for (const distinctExperts of [1, 8, 64, 256])
    for (const perExpert of [1, 4, 16])
      for (const [hidden, shardWidth] of [
        [2048, 96],
        [2880, 2880],
        [4096, 14_336],
        [7168, 2048],
      ] as const)
        yield {
          kind: "groupedGemm",
          pairs: distinctExperts * perExpert,
          distinctExperts,
          presentedPairs: distinctExperts * perExpert,
          parametersPerExpert: 3 * hidden * shardWidth,
          shardWidth,
          valuesPerPair: 2 * hidden + 3 * shardWidth,
          weightFormat: "bf16",
          math: "bf16",
        };
}
