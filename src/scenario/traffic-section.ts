import { z } from "zod";
import { quantity, share } from "../core/quantity.ts";
import { type RequestField, requestFields } from "../trace/requests/request-format.ts";
import { type RequestFormatName, requestFormats } from "../trace/requests/request-formats.ts";
import { type TimeUnit, timeUnits } from "../trace/requests/time-unit.ts";
import { count, exactlyOne, filePath, word } from "./quantity.ts";

const tokens = count(1, 10_000_000);

const mean = z.number().min(1).max(1e7).describe("Mean of the distribution, before clipping.");
const clip = {
  min: tokens.optional().describe("Smaller draws become this; default 1."),
  max: tokens.optional().describe("Larger draws become this."),
};

/** Distribution of a number of tokens. */
const tokenCount = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("fixed"), tokens: tokens.describe("The number itself.") }),
    z
      .strictObject({
        kind: z.literal("uniform"),
        low: tokens.describe("Smallest number."),
        high: tokens.describe("Largest number."),
      })
      .describe("Whole numbers from low to high."),
    z
      .strictObject({
        kind: z.literal("lognormal"),
        mean,
        sigma: z.number().min(0).max(5).optional().describe("Standard deviation of the logarithm; not with p50."),
        p50: z.number().gt(0).max(1e7).optional().describe("Median, at most the mean; not together with sigma."),
        ...clip,
      })
      .superRefine(exactlyOne("sigma", "p50"))
      .describe("Logarithm normally distributed, the usual shape of prompt and answer lengths."),
    z
      .strictObject({
        kind: z.literal("gamma"),
        mean,
        cv: z.number().gt(0).max(100).describe("Coefficient of variation."),
        ...clip,
      })
      .describe("Gamma distribution."),
    z.strictObject({ kind: z.literal("exponential"), mean, ...clip }).describe("Exponential distribution."),
    z
      .strictObject({ kind: z.literal("geometric"), mean, ...clip })
      .describe("Tokens until a stop that each token has with the same probability."),
  ])
  .meta({ id: "tokenCount", title: "Number of tokens" });

const rate = quantity("rate").describe("Mean requests per second, such as 16/s.");

const closed = z
  .strictObject({
    kind: z.literal("closed"),
    maxConcurrency: count(1, 1_000_000).describe("Clients, each with one request at a time."),
  })
  .describe("Closed loop: a client sends its next request when the last one has finished.");

const generatedArrivals = [
  z.strictObject({ kind: z.literal("poisson"), requestRate: rate }).describe("Independent arrivals."),
  z.strictObject({ kind: z.literal("constant"), requestRate: rate }).describe("Equal gaps."),
  z
    .strictObject({
      kind: z.literal("gamma"),
      requestRate: rate,
      burstiness: z
        .number()
        .gt(0)
        .max(1000)
        .describe("Shape of the Gamma distribution of the gaps: 1 is Poisson, smaller is burstier."),
    })
    .describe("Gamma-distributed gaps, as vLLM's benchmark draws them."),
  z
    .strictObject({
      kind: z.literal("onOff"),
      onRate: quantity("rate").describe("Requests per second in an on period."),
      offRate: quantity("rate").optional().describe("Requests per second in an off period; default none."),
      onMean: quantity("duration").describe("Mean length of an on period."),
      offMean: quantity("duration").describe("Mean length of an off period."),
    })
    .describe("Poisson arrivals whose rate switches between two values; both periods are exponential."),
  z
    .strictObject({
      kind: z.literal("stages"),
      process: z
        .enum(["poisson", "constant"])
        .default("poisson")
        .describe("Independent arrivals of the stage's rate, or equal gaps."),
      stages: z
        .array(
          z.strictObject({
            rate: quantity("rate", "zero").describe("Requests per second, such as 16/s; 0/s is a pause."),
            rampTo: quantity("rate", "zero")
              .optional()
              .describe("Rate at the end, reached linearly; default the same."),
            duration: quantity("duration").describe("How long the stage lasts."),
          }),
        )
        .min(1)
        .max(1000)
        .describe("Stages one after the other; arrivals end with the last."),
    })
    .describe("Rates that step or ramp, as load generators stage them."),
  closed,
] as const;

const lengths = {
  isl: tokenCount.describe("Input sequence length: tokens of a prompt."),
  osl: tokenCount.describe("Output sequence length: tokens of an answer."),
};

const requestClass = z.strictObject({
  name: word()
    .regex(/^[^\s{},:][^{},]*$/, { error: "a class name without braces, commas and colons" })
    .describe("Name of the class, the tag of its SLOs: ttft{class:NAME}."),
  share: share()
    .optional()
    .describe("Share of the requests; shares of all classes sum to 1. Needed, except where phases give them."),
  ...lengths,
  domains: z
    .record(word(), z.number().gt(0).max(1e6))
    .optional()
    .describe("Domains of the routing trace its requests replay, by weight: {code: 3, math: 1}."),
});

const shares = z.record(word(), share());

/** A stretch of the requests, by how classes share it. */
const phase = z.strictObject({
  requests: count(1, 10_000_000)
    .optional()
    .describe("Requests of the phase; the last one needs none, and lasts for all that follow."),
  shares: shares.describe("Share of each class, summing to 1; classes that are not named have none: {code: 1}."),
  rampTo: shares.optional().describe("Shares behind its last request, reached linearly; default the same."),
});

const generated = z
  .strictObject({
    kind: z.literal("generated"),
    requests: count(1, 10_000_000)
      .optional()
      .describe(
        "Requests to generate; staged arrivals need none. A p99 needs at least 1,000 that count, after the warm-up.",
      ),
    arrivals: z.discriminatedUnion("kind", generatedArrivals).describe("When requests arrive."),
    isl: lengths.isl.optional(),
    osl: lengths.osl.optional(),
    classes: z.array(requestClass).min(1).max(256).optional().describe("Classes of requests, instead of isl and osl."),
    phases: z
      .array(phase)
      .min(1)
      .max(1000)
      .optional()
      .describe(
        "How classes share the requests, one phase after the other, instead of one share for all: topics that drift.",
      ),
  })
  .superRefine((value, context) => {
    const complain = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    if (value.requests === undefined && value.arrivals.kind !== "stages") complain(["requests"], "how many requests");
    const { classes, phases } = value;
    if (classes === undefined) {
      if (value.isl === undefined) complain(["isl"], "isl, or classes");
      if (value.osl === undefined) complain(["osl"], "osl, or classes");
      if (phases !== undefined) complain(["phases"], "phases only beside classes, which they share requests among");
      return;
    }
    if (value.isl !== undefined) complain(["isl"], "isl inside each class, or no classes");
    if (value.osl !== undefined) complain(["osl"], "osl inside each class, or no classes");
    const sumToOne = (path: (string | number)[], of: readonly number[]) => {
      const sum = of.reduce((total, each) => total + each, 0);
      if (Math.abs(sum - 1) > 1e-9) complain(path, `shares that sum to 1, here ${sum}`);
    };
    const seen = new Set<string>();
    let unshared = false;
    for (const [index, { name, share: own }] of classes.entries()) {
      if (seen.has(name)) complain(["classes", index, "name"], "each class once");
      seen.add(name);
      if (phases === undefined && own === undefined) {
        complain(["classes", index, "share"], "a share from 0 to 1, or phases that give it");
        unshared = true;
      }
      if (phases !== undefined && own !== undefined)
        complain(["classes", index, "share"], "no share beside phases, which give it");
    }
    if (phases === undefined) {
      if (!unshared)
        sumToOne(
          ["classes"],
          classes.map((each) => each.share!),
        );
      return;
    }
    for (const [index, each] of phases.entries()) {
      if (each.requests === undefined && index < phases.length - 1)
        complain(["phases", index, "requests"], "how many requests, as another phase follows");
      if (each.requests === undefined && each.rampTo !== undefined)
        complain(["phases", index, "requests"], "how many requests, as shares change over them");
      for (const key of ["shares", "rampTo"] as const) {
        const given = each[key];
        if (given === undefined) continue;
        for (const name of Object.keys(given))
          if (!seen.has(name)) complain(["phases", index, key, name], `a class: ${[...seen].join(", ")}`);
        sumToOne(["phases", index, key], Object.values(given));
      }
    }
  })
  .describe("Requests drawn from distributions.");

const sharedPrefix = z
  .strictObject({
    kind: z.literal("sharedPrefix"),
    groups: count(1, 10_000_000).describe("Groups of prompts, each with a prefix of its own."),
    promptsPerGroup: count(1, 10_000_000).describe("Prompts of a group; groups x promptsPerGroup requests are sent."),
    prefix: tokenCount.describe("Tokens that all prompts of a group begin with; drawn once for each group."),
    question: tokenCount.describe("Tokens of a prompt behind its prefix."),
    osl: lengths.osl,
    order: z
      .enum(["shuffled", "grouped"])
      .default("shuffled")
      .describe("Groups mixed at random, or one whole group after the other."),
    arrivals: z.discriminatedUnion("kind", generatedArrivals).describe("When requests arrive."),
  })
  .describe(
    "Groups of prompts with shared prefixes, as SGLang's generated-shared-prefix and inference-perf's shared_prefix.",
  );

const columnsOfField: Readonly<Record<RequestField, string>> = {
  arrival: "When requests come: numbers, or dates.",
  prompt: "Tokens of the prompt.",
  output: "Tokens of the answer.",
  class: "Class of the request, the tag of its SLOs.",
  prefix: "Ids of the prompt's prefix blocks, as a list.",
  session: "Conversation that the request is a turn of; it waits for the turn before.",
  request: "Name of the request, by which others wait for it.",
  after: "Names of requests whose answers it waits for.",
  wait: "Time between the last answer that it waits for and its arrival; several columns are added up.",
};

const column = z.string().min(1).max(1000);

/** Columns of a request trace by what they hold. */
const columns = z
  .strictObject(
    Object.fromEntries(
      Object.entries(columnsOfField).map(([field, says]) => {
        const rule = requestFields[field as RequestField];
        const named = ("several" in rule ? z.union([column, z.array(column).min(1).max(100)]) : column).describe(says);
        return [field, "required" in rule ? named : named.optional()];
      }),
    ) as unknown as { [F in RequestField]: z.ZodOptional<z.ZodType<string | string[]>> },
  )
  .describe(
    "Columns of a table in no known layout, or keys of its JSON objects: names, paths such as usage.prompt_tokens, places " +
      "such as #3.",
  );

const recorded = z
  .strictObject({
    kind: z.literal("trace"),
    file: filePath().describe("A request trace; .gz is read as it is."),
    format: z
      .enum(["auto", ...(Object.keys(requestFormats) as RequestFormatName[])])
      .default("auto")
      .describe("Layout of the file; auto tells it by its first lines."),
    columns: columns.optional(),
    timeUnit: z
      .enum(Object.keys(timeUnits) as [TimeUnit, ...TimeUnit[]])
      .optional()
      .describe("What the file's times count; default what its layout and they themselves say."),
    blockTokens: count(1, 1_000_000)
      .optional()
      .describe("Tokens of a prefix block; default what the numbers of blocks show."),
    turnPrompts: z
      .enum(["whole", "added"])
      .optional()
      .describe(
        "Whether prompts of later turns count the whole conversation or only what is new; default what they show.",
      ),
    from: quantity("duration", "zero")
      .optional()
      .describe("Leave out what came before, from the file's earliest arrival on."),
    until: quantity("duration").optional().describe("Leave out what came from then on, such as 24h for the first day."),
    thin: share().optional().describe("Share of the requests to keep, drawn at random."),
    requests: count(1).optional().describe("Read at most this many requests; default all."),
    arrivals: z
      .discriminatedUnion("kind", [
        z
          .strictObject({
            kind: z.literal("recorded"),
            rateScale: z.number().gt(0).max(1e6).default(1).describe("Times arrivals come this much faster."),
            jitterQuantum: quantity("duration")
              .optional()
              .describe("Spread arrivals over this recording quantum, for traces with coarse timestamps."),
          })
          .describe("Arrivals as recorded."),
        ...generatedArrivals,
      ])
      .prefault({ kind: "recorded" })
      .describe(
        "When requests arrive; default as recorded. With other arrivals than recorded and closed, length pairs are " +
          "drawn from the trace with replacement.",
      ),
    class: word().optional().describe("Class of every request, in place of the file's own."),
    domain: word().optional().describe("Domain of the routing trace the requests replay."),
  })
  .superRefine(({ from = 0, until = Number.POSITIVE_INFINITY, format, columns }, context) => {
    if (from >= until) context.addIssue({ code: "custom", path: ["until"], message: "a duration longer than from" });
    if (columns !== undefined && format !== "auto")
      context.addIssue({ code: "custom", path: ["columns"], message: "columns without a format, or a format alone" });
  })
  .describe("Requests of a recorded trace.");

/** The requests: how many, when, how long. */
export const trafficSection = z.discriminatedUnion("kind", [generated, sharedPrefix, recorded]);
