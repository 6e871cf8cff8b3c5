import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { type AdmissionName, admissions } from "../policy/cache/admission/admissions.ts";
import { cachePolicies, livePolicyNames } from "../policy/cache/caches.ts";
import { type PlacementName, placements } from "../policy/placement/placements.ts";
import { type RouterName, routers } from "../policy/router/routers.ts";
import { type ScalingName, scalings } from "../policy/scaling/scalings.ts";
import { kindsOf } from "./kinds.ts";
import { count, exactlyOne, filePath, word } from "./quantity.ts";

const names = <Name extends string>(table: Readonly<Record<Name, unknown>>) => Object.keys(table) as [Name, ...Name[]];

/** Policies that need the accesses to come: references beside every run, not a choice for a deployment. */
const referencePolicies: readonly unknown[] = Object.keys(cachePolicies).filter(
  (name) => !(livePolicyNames as readonly string[]).includes(name),
);

/** A run of the longest simulated time then has at most 90 million ticks. */
const shortestTickNs = 100e6;

const fit = z
  .strictObject({
    file: filePath().optional().describe("Routing trace to fit on; default the one that is replayed."),
    domain: word().optional().describe("Domain of that trace to fit on; default all."),
  })
  .optional()
  .describe("What expert loads are counted from; default the routing that is replayed, which is optimistic.");

const placement = z.strictObject({
  kind: z.enum(names<PlacementName>(placements)).describe("Placement algorithm."),
  redundant: count(0, 65536).default(0).describe("Physical experts per layer beyond one per expert."),
  groups: count(1, 1024)
    .optional()
    .describe("Groups of experts in hierarchical placement; default the router's, else 1."),
  nodes: count(1, 4096).optional().describe("Nodes the expert ranks lie on; default from the hardware."),
  fit,
});

/** Keys of an expert cache, whatever its policy. */
const cacheKeys = {
  admission: kindsOf(admissions, Object.keys(admissions) as AdmissionName[], {})
    .prefault({ kind: "always" })
    .describe("Which missing experts take a slot; the others are computed out of the transfer buffer."),
  scope: z.enum(["layer", "global"]).default("layer").describe("One cache per layer, or one cache over all layers."),
  slots: count(1, 1e7)
    .optional()
    .describe("Expert slots in device memory: per layer with scope layer, in all with scope global. Per device."),
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
  hostCache: z
    .enum(["inclusive", "exclusive"])
    .default("inclusive")
    .describe(
      "Whether host memory in front of disks keeps the experts that devices take in. exclusive: they leave it, and what a device " +
        "gives up is written back into it over the other direction of the host link.",
    ),
  pageCache: z
    .union([quantity("bytes", "zero"), z.literal("rest")], { error: "bytes such as 32GB, or rest" })
    .optional()
    .describe(
      "Memory of each node for pages of the files that experts are read from, which every read of a disk passes; rest: all that " +
        "experts (hostMemory) leave, or in unified memory all that weights, slots and KV cache leave. Default: reads pass none.",
    ),
  pageCopy: quantity("bytesPerSecond")
    .optional()
    .describe(
      "Rate at which what is read from files is copied out of the page cache; default 10.5GB/s, one processor thread.",
    ),
  tiering: z
    .enum(["static", "lru"])
    .default("static")
    .describe(
      "Whether experts stay in the memory (DDR, CXL) that they were put into; lru: one that is read in a farther memory changes " +
        "places with the least recently read one of the nearest.",
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
  logAccesses: count(0, 1e9)
    .default(10_000_000)
    .describe("Expert accesses kept for the clairvoyant replay after the run."),
  fit,
};

const offload = kindsOf(cachePolicies, livePolicyNames, cacheKeys, (kind) =>
  referencePolicies.includes(kind)
    ? `${String(kind)} needs the accesses to come: a reference that every run with an expert cache reports beside it`
    : undefined,
)
  .superRefine(exactlyOne("slots", "memory"))
  .meta({ id: "expertCache", title: "Expert cache" });

/** Keys of scaling, whatever its policy. */
const scalingKeys = {
  min: count(1, 65536).default(1).describe("Fewest replicas that start or serve at any time."),
  max: count(1, 65536).describe("Most replicas, each with devices of its own while it is not off."),
  every: quantity("duration")
    .refine((ns) => ns >= shortestTickNs, { error: "at least 100ms" })
    .default(15e9)
    .describe(
      "How often the policy is asked, from the first arrival on; default 15s, as the Kubernetes autoscaler looks.",
    ),
  startup: quantity("duration", "zero")
    .optional()
    .describe(
      "From the decision until a new replica serves. Default: reading the weights of a node from its disks, else over the " +
        "host link, and 60s for the engine to start.",
    ),
};

const scaling = kindsOf(scalings, Object.keys(scalings) as ScalingName[], scalingKeys).superRefine(
  ({ min, max }, context) => {
    if (min > max) context.addIssue({ code: "custom", path: ["max"], message: `at least min, ${min}` });
  },
);

/** Placement of experts over ranks, offload of experts below device memory, routing of requests over replicas. */
export const policySection = z.strictObject({
  placement: placement.optional().describe("Where experts and their copies live; default contiguous, no copies."),
  offload: offload
    .optional()
    .describe("Keep experts below device memory and cache them; default all in device memory."),
  router: z
    .enum(names<RouterName>(routers))
    .default("least-loaded")
    .describe("How requests are spread over replicas and data-parallel ranks."),
  scaling: scaling
    .optional()
    .describe("When replicas start and stop, beginning with parallel.replicas; default all run from start to end."),
});
