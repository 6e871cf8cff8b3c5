import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { type DispatchName, dispatches } from "../policy/dispatch/dispatches.ts";
import type { PolicyTables } from "../policy/policy-tables.ts";
import { type RebalanceName, rebalances } from "../policy/rebalance/rebalances.ts";
import { type ScalingName, scalings } from "../policy/scaling/scalings.ts";
import { fitSection } from "./fit-section.ts";
import { kindsOf } from "./kinds.ts";
import { offloadSectionOf } from "./offload-section.ts";
import { count } from "./quantity.ts";

/** A run of the longest simulated time then has at most 90 million ticks. */
const shortestTickNs = 100e6;

const rebalance = kindsOf(rebalances, Object.keys(rebalances) as RebalanceName[], {});

/** Keys of a placement, whatever its policy. */
const placementKeys = {
  redundant: count(0, 65536).default(0).describe("Physical experts per layer beyond one per expert."),
  groups: count(1, 1024)
    .optional()
    .describe("Groups of experts in hierarchical placement; default the router's, else 1."),
  nodes: count(1, 4096).optional().describe("Nodes the expert ranks lie on; default from the hardware."),
  dispatch: kindsOf(dispatches, Object.keys(dispatches) as DispatchName[], {})
    .optional()
    .describe("How tokens are divided among the copies of an expert; default round-robin."),
  fit: fitSection,
  windows: count(1, 4096)
    .default(16)
    .describe("Equal stretches of the fitting set, one after the other, for policies that go by how load changes."),
  previous: z
    .enum(["contiguous", "round-robin"])
    .optional()
    .describe("Placement in use, for policies that change one; default none."),
  twins: z
    .boolean()
    .optional()
    .describe("Whether a rank may hold two copies of an expert; default what the algorithm does."),
  rankSpeed: z
    .array(z.number().positive().max(1e6))
    .optional()
    .describe(
      "Relative speed of each expert rank, which load is balanced by; default all alike. Places experts, slows no rank.",
    ),
  rankCopies: z
    .array(count(0, 65535))
    .optional()
    .describe("Expert copies of a layer that each expert rank may hold; default its physical experts."),
  memory: z
    .union([quantity("bytes"), z.array(quantity("bytes"))])
    .optional()
    .describe(
      "Memory for routed experts of each expert rank, or a list of one for each: how many copies of all layers it may hold.",
    ),
  rebalance: rebalance
    .optional()
    .describe("How experts are placed anew while replicas serve, beginning with this placement; default they stay."),
};

/** Names that no parameter of a placement policy can have. */
export const placementKeyNames: readonly string[] = ["kind", ...Object.keys(placementKeys)];

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
export const policySectionOf = (tables: PolicyTables) =>
  z.strictObject({
    placement: kindsOf(tables.placements, Object.keys(tables.placements), placementKeys)
      .optional()
      .describe("Where experts and their copies live; default contiguous, no copies."),
    offload: offloadSectionOf(tables)
      .optional()
      .describe("Keep experts below device memory and cache them; default all in device memory."),
    router: z
      .enum(Object.keys(tables.routers) as [string, ...string[]])
      .default("least-loaded")
      .describe("How requests are spread over replicas and data-parallel ranks."),
    scaling: scaling
      .optional()
      .describe("When replicas start and stop, beginning with parallel.replicas; default all run from start to end."),
  });
