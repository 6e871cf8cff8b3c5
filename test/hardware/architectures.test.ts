import { describe, expect, test } from "vitest";
import { bandsFor } from "../../src/forecast/bands/bands.ts";
import { errorBandTable } from "../../src/forecast/bands/error-band-table.ts";
import { architectureOf, architectures, relativesOf, sharesKernels } from "../../src/hardware/architectures.ts";
import { deviceIds, deviceNamed } from "../../src/hardware/named-profiles.ts";

const listed = architectures.flatMap(({ chips }) => chips.flat());
const cuda = deviceIds.filter((id) => deviceNamed(id).platform === undefined);

describe("architectures", () => {
  test("hold every device of the catalogue that runs CUDA, once, and no other", () => {
    expect(listed.toSorted()).toEqual(cuda.toSorted());
    expect(new Set(listed).size).toBe(listed.length);
  });

  test("have arithmetic that their chips share: narrow formats come with an architecture", () => {
    const formats = (id: string) =>
      (["fp8", "fp4"] as const).filter((math) => deviceNamed(id).peak[math] !== undefined);
    for (const { name, chips } of architectures) {
      const [first = "", ...others] = chips.flat();
      for (const id of others) expect(formats(id), `${id} and ${first}, ${name}`).toEqual(formats(first));
    }
  });

  test("say whose measurements speak for a device, and whose processors are alike", () => {
    expect(sharesKernels("h20", "h200-sxm")).toBe(true);
    expect(relativesOf("h20")).toEqual([]);
    expect(relativesOf("h800")).toContain("h200-sxm");
    expect(sharesKernels("rtx-4090", "rtx-5090")).toBe(false);
    expect(sharesKernels("mi300x", "mi325x")).toBe(false);
    expect(sharesKernels("mine", "mine")).toBe(true);
    expect(architectureOf("mine")).toBeNull();
  });
});

test("a device without served measurements is unmeasured only where its architecture is", () => {
  const setups = errorBandTable.setups;
  for (const device of deviceIds) {
    const { basis } = bandsFor({ model: "gpt-oss-120b", device, engine: "vllm", observed: false, features: [] });
    const measured = setups.some((setup) => sharesKernels(device, setup.device));
    expect(basis === "unmeasured", device).toBe(!measured);
  }
});
