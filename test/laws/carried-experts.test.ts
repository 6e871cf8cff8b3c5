import { describe, expect, test } from "vitest";
import { expertShapes } from "../../src/calibrate/kernel-tables/expert-shapes.ts";
import { evenExpertOp } from "../../src/calibrate/maps/even-experts.ts";
import type { StorageFormat } from "../../src/core/dtype.ts";
import { architectureOf, sharesKernels } from "../../src/hardware/architectures.ts";
import { groupedGemmShape } from "../../src/hardware/cost/grouped-gemm.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Device } from "../../src/hardware/device.ts";
import { type KernelMap, linkFamilies } from "../../src/hardware/kernel-maps.ts";
import { deviceIds, deviceNamed, deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { resolveDevice } from "../../src/hardware/resolve.ts";

const kernelsOf = ({ kernels }: Device) => (kernels?.maps ?? []).filter(({ family }) => !linkFamilies.has(family));

/** Kernels of devices that were measured on another architecture: family and source. */
const foreign = deviceIds
  .map(deviceNamed)
  .flatMap((device) =>
    kernelsOf(device).flatMap(({ family, from }) =>
      from === undefined || sharesKernels(device.id, from) ? [] : [`${family} of ${from}`],
    ),
  );

/** One measured device of each architecture. */
const measured = ["a100-sxm", "h100-sxm", "b200-sxm", "rtx-pro-6000"];

function* shapes(device: Device, weightFormat: StorageFormat): Generator<GroupedGemmOp> {
  for (const shape of Object.values(expertShapes))
    for (const ranks of [1, 4])
      for (const tokens of [1, 4, 16, 64, 256, 1024, 4096, 16_384])
        yield evenExpertOp(device, { shape, tokens, ranks }, weightFormat);
}

const covers = ({ axes }: KernelMap, op: GroupedGemmOp) =>
  groupedGemmShape.axes.every(({ of }, i) => of(op) >= axes[i]!.knots[0]! && of(op) <= axes[i]!.knots.at(-1)!);

/** Mean ratio of the times of experts by the maps of `source` to those measured on `target`, at equal engine and format. */
function levelOf(target: string, source: string): number {
  const own = deviceNamed(target);
  const carried = resolveDevice({ ...deviceProfileNamed(target), kernels: source });
  const levels: number[] = [];
  for (const map of kernelsOf(own)) {
    const there = kernelsOf(carried).find(
      ({ family, engine, format }) => family === map.family && engine === map.engine && format === map.format,
    );
    if (map.family !== "groupedGemm" || there === undefined || map.format === undefined) continue;
    const node = (device: Device) => ({ device, devicesPerNode: 8, tiers: [] });
    const [here, elsewhere] = [own, carried].map((device) => new CostModel(device, node(device), map.engine));
    const logs = [...shapes(own, map.format)]
      .filter((op) => covers(map, op) && covers(there, op))
      .map((op) => Math.log(elsewhere!.opNs(op) / here!.opNs(op)));
    levels.push(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  }
  return Math.exp(levels.reduce((sum, level) => sum + level, 0) / levels.length);
}

describe("experts that nobody measured on an architecture", () => {
  test("are those of A100 wherever another architecture lends them, and nothing else is lent", () => {
    expect(new Set(foreign)).toEqual(new Set(["groupedGemm of a100-sxm"]));
  });

  test.each(measured.slice(1))("come out slower by the maps of A100 than measured: %s", (target) => {
    expect(architectureOf(target)).not.toBe(architectureOf("a100-sxm"));
    const level = levelOf(target, "a100-sxm");
    expect(level).toBeGreaterThan(1.1);
    expect(level).toBeLessThan(1.6);
  });

  test("would come out faster than measured by the maps of the newer ones", () => {
    for (const source of measured.slice(1)) expect(levelOf("a100-sxm", source), source).toBeLessThan(0.95);
  });
});
