import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { type AdmissionName, admissions } from "../policy/cache/admission/admissions.ts";
import { cachePolicies, livePolicyNames } from "../policy/cache/caches.ts";
import { type MissPolicyName, missPolicies } from "../policy/miss/miss-policies.ts";
import { fitSection } from "./fit-section.ts";
import { kindsOf } from "./kinds.ts";
import { prefetchSection } from "./prefetch-section.ts";
import { count, exactlyOne } from "./quantity.ts";

/** Policies that need the accesses to come: references beside every run, not a choice for a deployment. */
const referencePolicies: readonly unknown[] = Object.keys(cachePolicies).filter(
  (name) => !(livePolicyNames as readonly string[]).includes(name),
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
  hostMemory: quantity("bytes")
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

/** An expert cache in device memory, and what lies behind it. */
export const offloadSection = kindsOf(cachePolicies, livePolicyNames, cacheKeys, (kind) =>
  referencePolicies.includes(kind)
    ? `${String(kind)} needs the accesses to come: a reference that every run with an expert cache reports beside it`
    : undefined,
)
  .superRefine(exactlyOne("slots", "memory"))
  .meta({ id: "expertCache", title: "Expert cache" });
