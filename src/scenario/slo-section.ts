import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { limitedLatencies, type RequestLimits } from "../metrics/goodput.ts";
import { latencies } from "../metrics/latencies.ts";
import { sloMetricNames, sloMetrics } from "../metrics/slo-metrics.ts";
import type { IssueDetail } from "./schema-problems.ts";
import {
  type GrammarError,
  parseExpression,
  parseTarget,
  printTarget,
  type SloExpression,
  type SloTarget,
} from "./slo-expression.ts";

/** One SLO of a scenario. Failing at level `error` fails the run; `warn` is only reported. */
export interface Slo {
  readonly target: SloTarget;
  readonly expression: SloExpression;
  /** The expression as written. */
  readonly text: string;
  readonly level: "error" | "warn";
}

/** SLOs of a scenario, and the limits every request has to meet to count as goodput. */
export interface SloSection {
  readonly thresholds: readonly Slo[];
  /** Limits in ns. */
  readonly perRequest: RequestLimits | null;
}

const expression = z.string().describe("An expression such as p(99)<800ms.");
const threshold = z.strictObject({
  threshold: expression,
  level: z
    .enum(["error", "warn"])
    .default("error")
    .describe("error makes the run exit with 99 when it fails; warn only reports it."),
});
const entry = z.union([expression, threshold], { error: "an expression such as p(99)<800ms, or {threshold, level}" });
const entries = z
  .union([entry, z.array(entry).min(1)], { error: "an expression such as p(99)<800ms, or a list of them" })
  .meta({ id: "thresholds", title: "Expressions of one metric" });

const perRequest = z.strictObject(
  Object.fromEntries(
    limitedLatencies.map((name) => [
      name,
      quantity("duration").optional().describe(`Longest ${latencies[name].title}.`),
    ]),
  ),
);

const metricKeys = Object.fromEntries(
  sloMetricNames.map((name) => [name, entries.optional().describe(sloMetrics[name].meaning)]),
);

/** Keys are metrics, narrowed by `{class:NAME}` where wished; values are expressions. */
export const sloSection = z
  .object({ perRequest: perRequest.optional().describe("Limits every request has to meet to count as goodput.") })
  .extend(metricKeys)
  .catchall(entries)
  .transform((raw, context): SloSection => {
    const { perRequest: rawLimits, ...metrics } = raw as Readonly<Record<string, unknown>>;
    const limits = rawLimits as z.output<typeof perRequest> | undefined;
    const thresholds: Slo[] = [];
    const complain = (path: (string | number)[], error: GrammarError, onKey: boolean) => {
      const detail: IssueDetail = {
        offset: error.offset,
        onKey,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      };
      context.addIssue({ code: "custom", path, message: error.expected, params: { ...detail } });
    };
    for (const [key, value] of Object.entries(metrics as Record<string, z.output<typeof entries> | undefined>)) {
      if (value === undefined) continue;
      const target = parseTarget(key);
      if ("error" in target) {
        complain([key], target.error, true);
        continue;
      }
      const list = Array.isArray(value) ? value : [value];
      for (const [index, item] of list.entries()) {
        const text = typeof item === "string" ? item : item.threshold;
        const parsed = parseExpression(text, target.ok.metric);
        if ("error" in parsed) {
          const path = [
            key,
            ...(Array.isArray(value) ? [index] : []),
            ...(typeof item === "string" ? [] : ["threshold"]),
          ];
          complain(path, parsed.error, false);
        } else
          thresholds.push({
            target: target.ok,
            expression: parsed.ok,
            text: text.trim(),
            level: typeof item === "string" ? "error" : item.level,
          });
      }
    }
    const needsLimits = thresholds.find((slo) => slo.target.metric === "goodput");
    if (needsLimits !== undefined && (limits === undefined || Object.keys(limits).length === 0))
      context.addIssue({
        code: "custom",
        path: [printTarget(needsLimits.target)],
        message: "slo.perRequest beside goodput, which is the share of requests that meet its limits",
      });
    // The schema yields plain metrics before tagged ones; a metric and its classes belong together.
    thresholds.sort((a, b) => sloMetricNames.indexOf(a.target.metric) - sloMetricNames.indexOf(b.target.metric));
    return { thresholds, perRequest: limits === undefined ? null : withoutUndefined(limits) };
  });

/** The limits that were given: keys without a value are dropped. */
function withoutUndefined(limits: z.output<typeof perRequest>): RequestLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
