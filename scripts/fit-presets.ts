/**
 * Fits the roofline of GPUs without measured kernels to the measured ones: npm run fit:presets -- <tables>... Prints, for
 * each kind of kernels, the figures fitted to all architectures, the errors on each architecture left out, and the
 * figures of the preset: launch times and arithmetic are stretched until no left-out architecture comes out too fast.
 */

import type { KernelSample } from "../src/calibrate/kernel-tables/kernel-sample.ts";
import { samplesByDevice } from "../src/calibrate/kernel-tables/samples-by-device.ts";
import { fitRoofline, type RooflineSamples, stretched } from "../src/calibrate/maps/fit-roofline.ts";
import { relativesOf } from "../src/hardware/architectures.ts";
import { attentionPrefillShape } from "../src/hardware/cost/attention.ts";
import { nominalRates } from "../src/hardware/cost/mapped.ts";
import type { KernelFamily } from "../src/hardware/kernel-maps.ts";
import { deviceNamed } from "../src/hardware/named-profiles.ts";
import type { AttentionOp } from "../src/hardware/op.ts";
import { usableSamples } from "../src/validate/kernels/usable-samples.ts";

/** Height of the tallest tiles of tensor-core kernels. The fit prefers none: lower and higher ones are as good. */
const tileRows = 128;

/** Samples of one device, family and format that are looked at: more move no figure. */
const samplesMost = 500;

/** Prompts spend their time in kernels that take this long at the peaks; shorter ones are all ramp. */
const longPrefillNs = 100_000;

const kinds = [
  {
    family: "gemm",
    start: { gemmLaunchNs: 6000, gemmMemory: 0.8, gemmCompute: 0.6 },
    given: { tileRows },
  },
  {
    family: "groupedGemm",
    start: { groupedGemmLaunchNs: 30_000, groupedGemmMemory: 0.8, groupedGemmCompute: 0.4, dequantiseFlops: 12 },
    given: { tileRows },
  },
  {
    family: "attentionDecode",
    start: { attentionLaunchNs: 10_000, attentionDecodeMemory: 0.7, attentionDecodeCompute: 0.2 },
    given: { tileRows },
  },
  { family: "attentionPrefill", start: { attentionPrefillCompute: 0.4 }, given: { tileRows } },
] as const;

async function main(): Promise<void> {
  const all = new Map<KernelFamily, RooflineSamples[]>(kinds.map(({ family }) => [family, []]));
  for await (const { device: id, samples } of samplesByDevice(process.argv.slice(2))) {
    const device = deviceNamed(id);
    const rates = nominalRates(device);
    for (const [family, { kept }] of usableSamples(samples, device)) {
      const long = kept.filter(
        ({ op }) =>
          family !== "attentionPrefill" || attentionPrefillShape.idealNs(op as AttentionOp, rates) >= longPrefillNs,
      );
      const groups = byFormat(long);
      for (const [group, rows] of groups)
        all.get(family)?.push({
          device,
          group,
          architecture: relativesOf(id)[0] ?? id,
          samples: rows.filter((_, i) => i % Math.max(1, Math.floor(rows.length / samplesMost)) === 0),
        });
    }
  }
  for (const { family, start, given } of kinds) {
    const { figures, error, leftOut } = fitRoofline(all.get(family) ?? [], start, given);
    const factor = Math.max(...leftOut.map(({ stretch }) => stretch));
    console.log(`${family}: fitted ${words(figures)}; mean error ${percent(error.mean)}, bias ${percent(error.bias)}`);
    for (const { architecture, error: of, stretch } of leftOut)
      console.log(
        `  without ${architecture}: mean ${percent(of.mean)}, median ${percent(of.median)}, bias ${percent(of.bias)}, stretch ${stretch.toFixed(2)}`,
      );
    console.log(`  preset, stretched by ${factor.toFixed(2)}: ${words(stretched(figures, factor))}`);
  }
}

/** Samples by the format of their weights or of their cache. */
function byFormat(samples: readonly KernelSample[]): ReadonlyMap<string, readonly KernelSample[]> {
  const groups = new Map<string, KernelSample[]>();
  for (const sample of samples) {
    const { op } = sample;
    const format = "weightFormat" in op ? op.weightFormat : "cacheFormat" in op ? op.cacheFormat : "";
    const group = groups.get(format);
    if (group === undefined) groups.set(format, [sample]);
    else group.push(sample);
  }
  return groups;
}

function words(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(", ");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

await main();
