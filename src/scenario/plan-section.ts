import { z } from "zod";
import { count, word } from "./quantity.ts";

/** What a plan can look for. */
const objectiveNames = ["cost", "devices", "energy", "goodput", "speed", "rate", "frontier"] as const;

const degrees = (what: string) =>
  z.array(count(1, 65536)).min(1).max(64).optional().describe(`${what}: only these; default all that fit.`);

const path = z
  .string()
  .regex(/^[^=]{1,1000}$/, { error: "a path into the scenario such as engine.maxNumSeqs" })
  .describe("A path into the scenario, as --set takes it.");

const parallel = z.strictObject({
  tp: degrees("Tensor parallelism of attention"),
  dp: degrees("Attention data parallelism"),
  cp: degrees("Context parallelism"),
  pp: degrees("Pipeline parallelism"),
  ep: degrees("Expert parallelism"),
  etp: degrees("Tensor parallelism inside experts"),
  edp: degrees("Copies of the whole set of experts"),
});

/** The question that `moecast plan` answers: what is looked for, among which deployments, within which budget. */
export const planSection = z.strictObject({
  objectives: z
    .array(z.enum(objectiveNames))
    .min(1)
    .max(objectiveNames.length)
    .default(["cost"])
    .describe(
      "What is looked for among deployments that meet the SLOs, the most important first: cost (US dollars per hour under open " +
        "arrivals, per token in a closed loop), devices (the fewest), energy (joules per output token), goodput (share of requests " +
        "within slo.perRequest), speed (the shortest median time of an output token), rate (the most requests per second), frontier (tokens/s of a device against tokens/s of a user).",
    ),
  budget: z
    .strictObject({
      devices: count(1, 1_000_000).optional().describe("Most devices; default 64."),
      usdPerHour: z.number().positive().max(1e9).optional().describe("Most US dollars per hour for all devices."),
      powerW: z.number().positive().max(1e12).optional().describe("Most board power of all devices, W."),
    })
    .default({})
    .describe("What must not be exceeded."),
  systems: z
    .array(word())
    .min(1)
    .max(64)
    .optional()
    .describe("Systems of the hardware profiles to choose from; default the scenario's hardware."),
  engines: z
    .array(word())
    .min(1)
    .max(16)
    .optional()
    .describe("Serving engines to choose from; default the scenario's."),
  devices: z
    .array(count(1, 65536))
    .min(1)
    .max(64)
    .optional()
    .describe("Devices of one replica; default powers of two up to a node, then two and four nodes."),
  parallel: parallel.default({}).describe("Degrees to choose from."),
  mappings: z
    .enum(["standard", "all"])
    .default("standard")
    .describe(
      "standard: tensor parallelism and data parallelism of attention, with experts either whole on ranks or sliced over all, " +
        "pipelines over nodes; all: every mapping of `moecast model mappings`.",
    ),
  replicas: z
    .array(count(1, 65536))
    .min(1)
    .max(4096)
    .optional()
    .describe("Replicas to choose from; default every number that the budget allows."),
  pools: z
    .enum(["colocated", "disaggregated", "both"])
    .default("colocated")
    .describe(
      "Whether prompts and outputs are computed by the same replicas, by pools of their own, or whichever is better.",
    ),
  poolReplicas: z
    .strictObject({
      prefill: z.array(count(1, 4096)).min(1).max(256).describe("Replicas of the pool that prefills."),
      decode: z.array(count(1, 4096)).min(1).max(256).describe("Replicas of the pool that decodes."),
    })
    .optional()
    .describe("With pools of their own: replicas to choose from; default every division that the budget allows."),
  vary: z
    .record(path, z.array(z.unknown()).min(1).max(1000))
    .default({})
    .describe(
      "Further values to choose from by path, null for none, such as {engine.maxNumSeqs: [64, 256], policy.placement: [null, " +
        "{kind: eplb, redundant: 16}]}.",
    ),
  alternatives: count(0, 100).default(1).describe("Deployments to find beside the best one, each of another layout."),
});

export type PlanSection = z.output<typeof planSection>;
