import { z } from "zod";
import { handoverFirstTokens, handoverReservations, handoverTransfers } from "../engine/handover/handover.ts";
import type { PolicyTables } from "../policy/policy-tables.ts";
import { costSection } from "./cost-section.ts";
import { engineSection } from "./engine-section.ts";
import { hardwareSection } from "./hardware-section.ts";
import { modelSection } from "./model-section.ts";
import { parallelSection } from "./parallel-section.ts";
import type { policySectionOf } from "./policy-section.ts";
import { count, word } from "./quantity.ts";

/** Sections that a pool may state for itself, in place of those of the scenario. */
export const poolSections = ["model", "hardware", "engine", "parallel", "policy", "cost"] as const;

const own = (what: string) => `${what} of this pool, whole; default the scenario's.`;

type PolicySection = ReturnType<typeof policySectionOf>;

const poolOf = (policy: PolicySection) =>
  z.strictObject({
    name: word().describe("Name of the pool, printed with its figures."),
    role: z
      .enum(["both", "prefill", "decode", "router"])
      .default("both")
      .describe(
        "What the pool does for a request: all of it, its prompt, its output after another pool's prefill, or only read its prompt " +
          "to choose a model (with modelCache).",
      ),
    serves: z
      .array(word())
      .min(1)
      .max(256)
      .optional()
      .describe(
        "With modelCache: classes of requests that are served by the model of this pool; default all, where it is the only one.",
      ),
    variants: count(1, 4096)
      .default(1)
      .describe(
        "With modelCache: models of this shape, each with weights of its own, such as fine-tunes of one model.",
      ),
    popularity: z
      .number()
      .min(0)
      .max(4)
      .default(0)
      .describe("Zipf exponent with which requests want the variants; 0: all alike. Each request draws its variant."),
    firstDevice: count(0, 1e6)
      .optional()
      .describe(
        "Its first device, counted over the nodes of its system: pools of one system may share a node. Default the next whole node.",
      ),
    model: modelSection.optional().describe(own("The model")),
    hardware: hardwareSection.optional().describe(own("Hardware")),
    engine: engineSection.optional().describe(own("Serving engine and scheduler")),
    parallel: parallelSection.optional().describe(own("Layout and replicas")),
    policy: policy
      .optional()
      .describe(
        `${own("Policies")} Its router spreads requests over the data-parallel ranks of a replica; the scenario's chooses the replica.`,
      ),
    cost: costSection.optional().describe(own("Price")),
  });

/** Pools of replicas: one scenario on several kinds of replicas. */
export const poolsSectionOf = (policy: PolicySection) => z.array(poolOf(policy)).min(1).max(64);

/** How requests change from a pool that prefills to one that decodes; what is left out is the engine's. */
export const handoverSectionOf = (tables: PolicyTables) =>
  z.strictObject({
    reserves: z
      .enum(handoverReservations)
      .optional()
      .describe("When a decode pool sets room aside for a prompt: before the prefill begins, or once it is computed."),
    transfer: z
      .enum(handoverTransfers)
      .optional()
      .describe("What of a KV cache is sent at once: the request's, that of a chunk of its prompt, or a layer of it."),
    firstToken: z
      .enum(handoverFirstTokens)
      .optional()
      .describe(
        "When the client gets the first token: with the prompt, when the KV cache has arrived, or with the first step of the " +
          "decode pool, which computes the last prompt token again.",
      ),
    reservedOutputTokens: z
      .union([count(0, 1e7), z.literal("all")], { error: "a number of tokens, or all" })
      .optional()
      .describe("Output tokens that a decode pool keeps free for each request that it takes on; all: whole outputs."),
    localPromptTokens: count(0, 1e7)
      .default(0)
      .describe("Prompts of at most this many tokens are computed by a decode pool itself."),
    router: z
      .enum(Object.keys(tables.routers) as [string, ...string[]])
      .optional()
      .describe("How requests are spread over the replicas of decode pools; default policy.router."),
  });
