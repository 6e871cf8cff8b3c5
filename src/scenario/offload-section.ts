import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { type AdmissionName, admissions } from "../policy/cache/admission/admissions.ts";
import { type MissPolicyName, missPolicies } from "../policy/miss/miss-policies.ts";
import { liveCacheNames, type PolicyTables } from "../policy/policy-tables.ts";
import { expertsByLayer } from "./experts-by-layer.ts";
import { fitSection } from "./fit-section.ts";
import { hostMemoryKeys } from "./host-memory-keys.ts";
import { kindsOf } from "./kinds.ts";
import { prefetchSection } from "./prefetch-section.ts";
import { count, exactlyOne, filePath } from "./quantity.ts";

/** Experts that somebody pins: listed here, or in a file. */
const pins = z.union(
  [expertsByLayer, z.strictObject({ file: filePath().describe("A JSON file with a list of {layer, experts}.") })],
  { error: "a list of {layer, experts}, or {file} with one" },
);

/** Keys of an expert cache, whatever its policy. */
const cacheKeys = {
  admission: kindsOf(admissions, Object.keys(admissions) as AdmissionName[], {})
    .prefault({ kind: "always" })
    .describe("Which missing experts take a slot; the others are computed out of the transfer buffer."),
  miss: kindsOf(missPolicies, Object.keys(missPolicies) as MissPolicyName[], {})
    .prefault({ kind: "fetch" })
    .describe("What is done about an expert that has no slot."),
  scope: z.enum(["layer", "global"]).default("layer").describe("One cache per layer, or one cache over all layers."),
  slots: count(0, 1e7)
    .optional()
    .describe(
      "Expert slots in device memory: per layer with scope layer, in all with scope global. Per device. 0: none is kept there.",
    ),
  memory: quantity("bytes")
    .optional()
    .describe("Memory of each device for expert slots, instead of slots; split over the layers of its pipeline stage."),
  slotsPerLayer: z
    .union([z.enum(["even", "demand", "dp"]), z.array(count(0, 65536)).min(1)], {
      error: "even, demand, dp, or a list with the slots of each layer",
    })
    .default("even")
    .describe(
      "How the layers share all slots (slots times the layers, or the memory), with scope layer: even; demand, in proportion to " +
        "the experts that a sequence of the fitting set uses in a layer; dp, the fewest misses by the layers' LRU curves there; " +
        "or a list with the slots of each layer, instead of slots.",
    ),
  keep: pins
    .optional()
    .describe(
      "Experts that are resident before the run and never evicted. They take slots; the policy has the others.",
    ),
  protect: pins
    .optional()
    .describe(
      "Experts that are never evicted once they were loaded, such as super experts. Each has a slot of its own, empty until its first use.",
    ),
  flags: z
    .string()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'With kind static, instead of slots: the flags by which the engine divides experts between device and host, such as "--n-cpu-moe 12" for ' +
        "llama.cpp or --kt-num-gpu-experts 16 for KTransformers. They say what is on the device, and that the host computes the rest; llama.cpp's may " +
        "leave it matrices of experts, whole layers and caches, and have it compute in pages of the file where memory does not hold all experts " +
        "(hostMemory is then memory for pages), unless --no-mmap or --mlock (docs/offload.md).",
    ),
  hostMemory: quantity("bytes", "zero")
    .optional()
    .describe(
      "Memory of the first tier of each node that may hold experts, in even shares for its replicas; what exceeds a share " +
        "lives in the tiers behind it. Default all of the tier.",
    ),
  pinned: z
    .boolean()
    .default(true)
    .describe(
      "Whether the memory that holds experts is page-locked; false: the driver copies every expert into a page-locked buffer first.",
    ),
  diskPath: z
    .enum(["host", "direct"])
    .default("host")
    .describe(
      "How experts that live on a disk reach a device: through host memory, which caches them, or direct, past it " +
        "(GPUDirect Storage). On the direct path all memory is a home of experts.",
    ),
  ...hostMemoryKeys,
  numa: z
    .enum(["local", "interleave"])
    .optional()
    .describe(
      "Where experts lie in the memory of several sockets (hardware.sockets): local, with the device that reads them while there is " +
        "room; interleave, every expert spread evenly over all. Default local.",
    ),
  overlap: z
    .boolean()
    .default(true)
    .describe("Whether missing experts are fetched while resident ones compute; false: the runtime waits for each."),
  prefetch: prefetchSection,
  logAccesses: count(0, 1e9)
    .default(10_000_000)
    .describe("Expert accesses kept for the clairvoyant replay after the run."),
  fit: fitSection,
};

/** Names that no parameter of a cache policy can have. */
export const cacheKeyNames: readonly string[] = ["kind", ...Object.keys(cacheKeys)];

/** Flags say which experts a fixed set holds and what is done about the others, so nothing else may. */
function refuseBesideFlags(section: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const refused = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
  if (section["kind"] !== "static") refused("flags", "no such key: only a fixed set (kind static) follows flags");
  for (const key of ["slots", "memory", "choose", "keep", "protect"])
    if (section[key] !== undefined) refused(key, "no such key: the flags say what is on the device");
  if (section["slotsPerLayer"] !== "even") refused("slotsPerLayer", "no such key: the flags say what is on the device");
  if ((section["miss"] as { readonly kind: string }).kind !== "fetch")
    refused("miss", "no such key: the host computes what the flags leave to it");
}

/**
 * An expert cache in device memory, and what lies behind it. Policies that need the accesses to come are references beside every
 * run, not a choice for a deployment.
 */
export const offloadSectionOf = (tables: PolicyTables) =>
  kindsOf(tables.caches, liveCacheNames(tables), cacheKeys, (kind) =>
    typeof kind === "string" && Object.hasOwn(tables.caches, kind)
      ? `${kind} needs the accesses to come: a reference that every run with an expert cache reports beside it`
      : undefined,
  )
    .superRefine((section, context) => {
      if (section.flags !== undefined) {
        refuseBesideFlags(section, context);
        return;
      }
      if (typeof section.slotsPerLayer === "string") exactlyOne("slots", "memory")(section, context);
      else
        for (const key of ["slots", "memory"] as const)
          if (section[key] !== undefined)
            context.addIssue({
              code: "custom",
              path: [key],
              message: "no such key: slotsPerLayer says what each layer has",
            });
    })
    .meta({ id: "expertCache", title: "Expert cache" });
