import { z } from "zod";
import { profileId as id, profileName as name } from "../core/read-profile.ts";
import { numbers } from "../core/sourced.ts";
import { kernelMapsSchema } from "./kernel-maps-schema.ts";
import { tierKindNames } from "./tier-kinds.ts";

/** A link: nominal bandwidth per direction, the share that large transfers reach, and the time of an empty one. */
export const linkSchema = z.strictObject({
  id,
  name,
  bytesPerSecond: numbers.bytesPerSecond,
  efficiency: numbers.share,
  latencyNs: numbers.nonNegative,
});

const peakSchema = z.strictObject({
  bf16: numbers.flopsPerSecond,
  fp8: numbers.flopsPerSecond.optional(),
  int8: numbers.flopsPerSecond.optional(),
  fp4: numbers.flopsPerSecond.optional(),
});

export const efficiencySchema = z.strictObject({
  gemmCompute: numbers.share,
  gemmMemory: numbers.share,
  groupedGemmCompute: numbers.share,
  groupedGemmMemory: numbers.share,
  formatCompute: z
    .strictObject({
      bf16: numbers.share.optional(),
      fp8: numbers.share.optional(),
      int8: numbers.share.optional(),
      fp4: numbers.share.optional(),
    })
    .optional(),
  attentionPrefillCompute: numbers.share,
  attentionDecodeMemory: numbers.share,
  attentionDecodeCompute: numbers.share,
  sparseLatentCompute: numbers.share.optional(),
  sparseLatentHeads: numbers.count.optional(),
  sparseGatherBytesPerSecond: numbers.bytesPerSecond.optional(),
  indexScoresCompute: numbers.share.optional(),
  linearScanCompute: numbers.share.optional(),
  linearScanStepNs: numbers.nonNegative.optional(),
  narrowStateMemory: numbers.share.optional(),
  elementwiseMemory: numbers.share,
  tileRows: numbers.nonNegative,
  gemmLaunchNs: numbers.nonNegative,
  groupedGemmLaunchNs: numbers.nonNegative,
  attentionLaunchNs: numbers.nonNegative,
  dequantiseFlops: numbers.nonNegative,
  rooflineNorm: numbers.positive,
  allReduceBandwidth: numbers.share,
  allToAllBandwidth: numbers.share,
  collectiveLatencyNs: numbers.nonNegative,
  allReduceLatencyNs: numbers.nonNegative.optional(),
  collectiveLatencyNsScaleOut: numbers.nonNegative,
});

const linkReference = z.union([id, linkSchema], { error: "expected the id of a link, or a link of your own" });

export const deviceSchema = z.strictObject({
  id,
  name,
  kind: z.enum(["gpu", "npu", "rdu", "cpu"]),
  platform: id
    .optional()
    .describe(
      "Software that engines are built for: on `rocm` the engine vllm is vllm-rocm, where there is such a profile.",
    ),
  peak: peakSchema.describe("Dense peaks that are counted with."),
  vendorPeak: peakSchema
    .partial()
    .optional()
    .describe("Dense peaks as the vendor lists them: the ceiling that `peak` may not pass."),
  vectorFlopsPerSecond: numbers.flopsPerSecond
    .optional()
    .describe("FP32 rate of the vector units, without matrix units: they widen narrow weights."),
  clockHz: numbers.positive
    .optional()
    .describe("Boost clock of the processors, Hz: measurements of another architecture are carried over in cycles."),
  cores: numbers.count
    .optional()
    .describe("Cores of a processor: threads that compute experts share them with others."),
  coreBytesPerSecond: numbers.bytesPerSecond
    .optional()
    .describe("Most that one core reads: few threads do not fill the memory."),
  memory: z.strictObject({
    technology: name,
    bytes: numbers.bytes.describe("Total memory as the driver reports it."),
    reservedBytes: numbers.bytes
      .optional()
      .describe("What the driver keeps of it: a process finds `bytes` less this as the device's total."),
    bytesPerSecond: numbers.bytesPerSecond,
  }),
  achieved: z
    .strictObject({
      memoryBytesPerSecond: numbers.bytesPerSecond.optional(),
      bf16: numbers.flopsPerSecond.optional(),
      fp8: numbers.flopsPerSecond.optional(),
      int8: numbers.flopsPerSecond.optional(),
      fp4: numbers.flopsPerSecond.optional(),
    })
    .optional()
    .describe("Highest rates measured on the device; evidence that must stay below the peaks."),
  scaleUp: linkReference
    .nullable()
    .describe("Between devices of a node or rack; null where they meet through the host."),
  scaleUpDomain: numbers.count.describe("Devices that the scale-up link joins."),
  scaleOut: linkReference.nullable().describe("Between nodes; null where there is none."),
  hostLink: linkReference.nullable().describe("Between the device and the host's memory."),
  powerW: numbers.positive.optional().describe("At work."),
  idlePowerW: numbers.nonNegative.optional(),
  usdPerHour: numbers.price.optional().describe("Price of a device and hour, with its date."),
  efficiencyPreset: z
    .string()
    .optional()
    .describe("Name of an efficiency preset; `efficiency` overrides single numbers of it."),
  efficiency: efficiencySchema.partial().describe("Shares of peaks and bandwidths that are reached."),
  kernels: z
    .union([id, z.array(id).min(1).readonly(), kernelMapsSchema], {
      error: "expected the id of a device with kernel maps, several, or maps of your own",
    })
    .optional()
    .describe(
      "Maps of measured kernels: the id of a device with maps, its own or a relative's; several such ids (for each family of " +
        "kernels and engine the first that has it counts); or maps of your own, as `moecast calibrate` writes them. Times " +
        "between devices carry over only from a device that meets its kind alike: by a scale-up link, or through the host.",
    ),
  served: z
    .record(
      id,
      z.strictObject({ kernelExcess: numbers.nonNegative.optional(), mixedDecodeRows: numbers.positive.optional() }),
    )
    .optional()
    .describe("By id of an engine: what was measured of its kernels on this very device."),
});

export const tierSchema = z.strictObject({
  id,
  name,
  kind: z.enum(tierKindNames),
  bytesPerSecond: numbers.bytesPerSecond,
  efficiency: numbers.share,
  latencyNs: numbers.nonNegative,
});

export const systemSchema = z.strictObject({
  id,
  name,
  device: id.describe("Id of a device; a scenario's `hardware.device.file` goes before it."),
  devicesPerNode: numbers.count,
  hostRoots: numbers.count.optional().describe("Root complexes that the devices' host links hang on."),
  hostLinkDevices: numbers.count
    .optional()
    .describe("Devices that have one link to the host in common, as behind a PCIe switch; 1 if absent."),
  host: z
    .strictObject({
      processor: id.describe("Id of a device of kind cpu."),
      count: numbers.count.describe("Processors, one to a socket."),
    })
    .optional()
    .describe("Processors of the host, which can compute experts in the first memory tier; left out where not known."),
  tiers: z
    .array(
      z.strictObject({
        tier: z
          .union([id, tierSchema], { error: "expected the id of a memory tier, or a tier of your own" })
          .describe("Id of a memory tier, or a tier of your own."),
        bytes: numbers.bytes,
        units: numbers.count
          .optional()
          .describe("Drives or memories that are read side by side: the bandwidth of the tier is that of one."),
      }),
    )
    .describe("Memory behind the devices, of the whole node, nearest first."),
});

/** Shapes of hardware profile files by what they describe. Links and tiers stand inside the others. */
export const hardwareSchemas = {
  device: deviceSchema,
  system: systemSchema,
  link: linkSchema,
  tier: tierSchema,
} as const satisfies Record<string, z.ZodType>;

export type LinkProfile = z.infer<typeof linkSchema>;
export type EfficiencyProfile = z.infer<typeof efficiencySchema>;
export type DeviceProfile = z.infer<typeof deviceSchema>;
export type TierProfile = z.infer<typeof tierSchema>;
export type SystemProfile = z.infer<typeof systemSchema>;
