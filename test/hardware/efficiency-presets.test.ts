import { describe, expect, test } from "vitest";
import { efficiencyPresets } from "../../src/hardware/catalogue.ts";
import { deviceIds, deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import type { EfficiencyProfile } from "../../src/hardware/profile-schema.ts";

type Key = Exclude<keyof EfficiencyProfile, "formatCompute">;

const presets = efficiencyPresets();
const measured = presets["gpu"]!;

const vectorUnits: readonly Key[] = ["gemmCompute", "groupedGemmCompute", "attentionDecodeCompute", "tileRows"];
const threads: readonly Key[] = ["gemmLaunchNs", "groupedGemmLaunchNs", "attentionLaunchNs", "collectiveLatencyNs"];

/** Figures that may lie on the fast side of those of measured GPUs, and what allows it. */
const allowed: Readonly<Record<string, readonly (readonly [reason: string, keys: readonly Key[]])[]>> = {
  "gpu-simd": [["the peak is the rate of vector units, which products reach more of", vectorUnits]],
  "gpu-rocm": [["measured on a link of Infinity Fabric", ["allReduceBandwidth"]]],
  rdu: [["a decoder is one program; its share of the bandwidth is measured over whole decodes", threads.slice(0, 3)]],
  cpu: [
    ["the peak is the rate of vector units, which products reach more of", [...vectorUnits, "attentionPrefillCompute"]],
    ["threads meet at a barrier, nothing is launched", threads],
  ],
};

const isShare = (key: Key) => /(Compute|Memory|Bandwidth)$/.test(key);

/** How much faster a figure makes a device than that of measured GPUs; 1 or less: no faster. */
function optimism(key: Key, value: number): number {
  const than = measured[key]?.value;
  if (than === undefined || key === "rooflineNorm" || value === than) return 1;
  if (key === "sparseGatherBytesPerSecond" || isShare(key)) return value / than;
  return value === 0 ? Number.POSITIVE_INFINITY : than / value;
}

const keysOf = (figures: object) =>
  (Object.keys(figures) as (keyof EfficiencyProfile)[]).filter((key): key is Key => key !== "formatCompute");

describe.each(Object.keys(presets).filter((name) => name !== "gpu"))("kernels that nobody measured: %s", (name) => {
  const exceptions = new Set((allowed[name] ?? []).flatMap(([, keys]) => keys));

  test("no figure is more optimistic than that of GPUs without a measurement of their own", () => {
    for (const key of keysOf(presets[name]!)) {
      const faster = optimism(key, presets[name]![key]!.value);
      if (exceptions.has(key)) expect(faster, `${key} needs no exception`).toBeGreaterThan(1);
      else expect(faster, key).toBeLessThanOrEqual(1);
    }
  });
});

test("devices of other platforms change no preset for the better without a measurement", () => {
  for (const id of deviceIds) {
    const { platform, efficiency, efficiencyPreset = "gpu" } = deviceProfileNamed(id);
    if (platform === undefined) continue;
    for (const key of keysOf(efficiency)) {
      const { value, kind, source } = efficiency[key]!;
      // Ascend: launches stand in the fitted overhead per kernel of the engine that is built for it.
      if (kind !== "estimated" || (platform === "ascend" && source.includes("in the overhead per kernel"))) continue;
      const than = presets[efficiencyPreset]?.[key]?.value;
      const least = Math.max(1, than === undefined ? 1 : optimism(key, than));
      expect(optimism(key, value), `${id} ${key}`).toBeLessThanOrEqual(least);
    }
  }
});

test("chips with matrix units of their own do not take the shares of vector units", () => {
  for (const id of deviceIds) {
    const { peak, vectorFlopsPerSecond, efficiencyPreset } = deviceProfileNamed(id);
    if (efficiencyPreset !== "gpu-simd" || vectorFlopsPerSecond === undefined) continue;
    // Vector lanes take two 16-bit values at once at most.
    expect(peak.bf16.value, id).toBeLessThanOrEqual(2 * vectorFlopsPerSecond.value);
  }
});
