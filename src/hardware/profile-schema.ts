import { z } from "zod";
import { InvalidInputError, type Problem } from "../core/errors.ts";
import { checkJson } from "../core/json.ts";
import { numbers } from "../core/sourced.ts";
import { checkProfile } from "./check.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import { kernelMapsSchema } from "./kernel-maps-schema.ts";

const id = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, "expected lower-case letters, digits, dots and hyphens");
const name = z.string().trim().min(1);

/** A link: nominal bandwidth per direction, the share that large transfers reach, and the time of an empty one. */
const linkSchema = z.strictObject({
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

const efficiencySchema = z.strictObject({
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
  elementwiseMemory: numbers.share,
  gemmHalfTokens: numbers.nonNegative,
  rooflineNorm: numbers.positive,
  allReduceBandwidth: numbers.share,
  allToAllBandwidth: numbers.share,
  collectiveLatencyNs: numbers.nonNegative,
  allReduceLatencyNs: numbers.nonNegative.optional(),
  collectiveLatencyNsScaleOut: numbers.nonNegative,
});

const linkReference = z.union([id, linkSchema], { error: "expected the id of a link, or a link of your own" });

const deviceSchema = z.strictObject({
  id,
  name,
  kind: z.enum(["gpu", "npu", "rdu", "cpu"]),
  peak: peakSchema.describe("Dense peaks that are counted with."),
  vendorPeak: peakSchema
    .partial()
    .optional()
    .describe("Dense peaks as the vendor lists them: the ceiling that `peak` may not pass."),
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
      "Maps of measured kernels: the id of a device with maps, its own or a relative's; several, of which the first that " +
        "has a family of kernels counts; or maps of your own, as `moecast calibrate` writes them.",
    ),
  served: z
    .record(
      id,
      z.strictObject({ kernelFactor: numbers.positive.optional(), mixedDecodeRows: numbers.positive.optional() }),
    )
    .optional()
    .describe("By id of an engine: what was measured of its kernels on this very device."),
});

const tierSchema = z.strictObject({
  id,
  name,
  kind: z.enum(["ddr", "cxl", "nvme"]),
  bytesPerSecond: numbers.bytesPerSecond,
  efficiency: numbers.share,
  latencyNs: numbers.nonNegative,
});

const systemSchema = z.strictObject({
  id,
  name,
  device: id.describe("Id of a device; a scenario's `hardware.device.file` goes before it."),
  devicesPerNode: numbers.count,
  hostRoots: numbers.count.optional().describe("Root complexes that the devices' host links hang on."),
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

/** Where caches are kept: one of some words, or the size of a pool of their own against the others. */
function pool<const Words extends readonly [string, ...string[]]>(words: Words) {
  const { kind, source } = numbers.positive.shape;
  const value = z.union([z.enum(words), z.number().positive()], {
    error: `expected ${words.join(", ")}, or the size of a pool of its own as a share of the others`,
  });
  return z.strictObject({ value, kind, source });
}

const windowPool = pool(["shared", "reserved", "full"]);

const engineSchema = z.strictObject({
  id,
  name,
  version: name,
  stepOverheadNs: numbers.nonNegative,
  sequenceOverheadNs: numbers.nonNegative,
  requestOverheadNs: numbers.nonNegative,
  /** Without it, one. */
  frontEnds: z
    .strictObject({
      value: z.union([numbers.count.shape.value, z.literal("perDataParallelRank")], {
        error: "expected a count of processes per replica, or perDataParallelRank",
      }),
      kind: numbers.count.shape.kind,
      source: numbers.count.shape.source,
    })
    .optional(),
  promptTokenOverheadNs: numbers.nonNegative,
  /** Without it, none. */
  promptTokenDelayNs: numbers.nonNegative.optional(),
  prefillStepOverheadNs: numbers.nonNegative,
  kernelOverheadNs: numbers.nonNegative,
  eagerLaunchNs: numbers.nonNegative,
  capturesGraphs: numbers.flag,
  kernelsPerLayer: z.strictObject({
    gqa: numbers.nonNegative,
    mla: numbers.nonNegative,
    sparseMla: numbers.nonNegative,
    linear: numbers.nonNegative,
  }),
  formatKernels: z.strictObject({
    fp8Block: numbers.positive,
    int4: numbers.positive,
    nvfp4: numbers.positive,
    mxfp4: numbers.positive,
  }),
  kernelFactor: numbers.positive,
  collectiveFactor: numbers.positive,
  prefillFactor: numbers.positive,
  mixedDecodeFactor: numbers.positive,
  overlapsSharedExperts: numbers.flag,
  overlapsBatches: numbers.flag,
  expertExchange: z.strictObject({
    value: z.enum(["allToAll", "allGatherReduceScatter", "deepep"]),
    kind: numbers.flag.shape.kind,
    source: numbers.flag.shape.source,
  }),
  mixesPrefillWithDecode: numbers.flag,
  caches: z
    .strictObject({
      windows: windowPool,
      chunks: windowPool,
      states: pool(["shared", "reserved"]),
      statesPerSequence: numbers.count,
    })
    .optional(),
  versions: z
    .record(
      z.string(),
      z.strictObject({ kernels: numbers.positive, overheads: numbers.positive, prefill: numbers.positive }),
    )
    .describe("Factors of single versions, by version as measurements write it."),
  defaults: z.strictObject({
    maxBatchTokens: numbers.count,
    maxSequences: numbers.count,
    chunkedPrefill: numbers.flag,
    prefixCaching: numbers.flag,
    blockTokens: numbers.count,
    memoryUtilisation: numbers.share,
  }),
});

/** The shapes of profile files by what they describe; links and tiers stand inside the others. */
export const profileSchemas = {
  device: deviceSchema,
  system: systemSchema,
  engine: engineSchema,
  link: linkSchema,
  tier: tierSchema,
} as const satisfies Record<string, z.ZodType>;

export type LinkProfile = z.infer<typeof linkSchema>;
export type EfficiencyProfile = z.infer<typeof efficiencySchema>;
export type DeviceProfile = z.infer<typeof deviceSchema>;
export type TierProfile = z.infer<typeof tierSchema>;
export type SystemProfile = z.infer<typeof systemSchema>;
export type EngineProfileFile = z.infer<typeof engineSchema>;

/** Reads a device profile; throws InvalidInputError with every problem, those of {@link checkProfile} included. */
export function parseDeviceProfile(json: unknown, file: string): DeviceProfile {
  const profile = parse(deviceSchema, json, file);
  const problems = checkProfile(profile).map((problem) => ({ ...problem, file }));
  if (problems.length > 0) throw new InvalidInputError(problems);
  return profile;
}

/** Reads a system (node) profile; throws InvalidInputError. */
export function parseSystemProfile(json: unknown, file: string): SystemProfile {
  return parse(systemSchema, json, file);
}

/** Reads an engine profile; throws InvalidInputError. */
export function parseEngineProfile(json: unknown, file: string): EngineProfileFile {
  return parse(engineSchema, json, file);
}

/** Reads a list of links; throws InvalidInputError. */
export function parseLinks(json: unknown, file: string): LinkProfile[] {
  return parse(z.array(linkSchema), json, file);
}

/** Reads a list of memory tiers; throws InvalidInputError. */
export function parseTiers(json: unknown, file: string): TierProfile[] {
  return parse(z.array(tierSchema), json, file);
}

/** Reads efficiency presets by name; throws InvalidInputError. */
export function parseEfficiencyPresets(json: unknown, file: string): Record<string, EfficiencyProfile> {
  return parse(z.record(z.string(), efficiencySchema), json, file);
}

/** Reads maps of measured kernels; throws InvalidInputError. */
export function parseKernelMaps(json: unknown, file: string): KernelMaps {
  return parse(kernelMapsSchema, json, file);
}

function parse<Schema extends z.ZodType>(schema: Schema, json: unknown, file: string): z.infer<Schema> {
  const result = schema.safeParse(checkJson(json, file));
  if (!result.success) throw new InvalidInputError(result.error.issues.map((issue) => problemOf(issue, json, file)));
  return result.data;
}

function problemOf(issue: z.core.$ZodIssue, json: unknown, file: string): Problem {
  const found = issue.path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    json,
  );
  const at = issue.path.map(String).join(".");
  const unsourced = found === undefined && /(^|\.)(source|kind)$/.test(at);
  const where = { file, at: at === "" ? "profile" : at };
  if (issue.code === "unrecognized_keys")
    return { ...where, expected: "only keys of the schema", found: issue.keys.join(", ") };
  return {
    ...where,
    expected: expectation(issue),
    found,
    ...(unsourced ? { hint: "every number needs a source and a kind; leave the number out if it has none" } : {}),
  };
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("expected ")) return issue.message.slice("expected ".length);
  const unit = "origin" in issue && issue.origin === "string" ? " characters" : "";
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "int" ? "an integer" : `a value of type ${issue.expected}`;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unit}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unit}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    default:
      return issue.message;
  }
}
