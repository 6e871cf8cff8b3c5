import { InvalidInputError, type Problem } from "../core/errors.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { type GrammarError, parseExpression, parseTarget } from "../scenario/slo-expression.ts";
import type { Slo } from "../scenario/slo-section.ts";

/**
 * The scenario with the SLOs of the command line after its own. Each text is `metric: expression`, such as
 * `ttft{class:chat}: p(99)<800ms`. Throws InvalidInputError with every text that is none.
 */
export function withThresholds(scenario: Scenario, texts: readonly string[]): Scenario {
  if (texts.length === 0) return scenario;
  const problems: Problem[] = [];
  const thresholds: Slo[] = [];
  const perRequest = scenario.slo?.perRequest ?? null;
  for (const text of texts) {
    const found = readThreshold(text);
    if ("error" in found) problems.push(problemOf(text, found.error));
    else if (found.ok.target.metric === "goodput" && perRequest === null)
      problems.push(problemOf(text, { offset: 0, expected: "slo.perRequest in the scenario beside goodput" }));
    else thresholds.push(found.ok);
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return {
    ...scenario,
    slo: { thresholds: [...(scenario.slo?.thresholds ?? []), ...thresholds], perRequest },
    overrides: [...scenario.overrides, ...texts.map((text) => `threshold ${text}`)],
  };
}

function readThreshold(text: string): { readonly ok: Slo } | { readonly error: GrammarError } {
  const split = /^([^:{]*(?:\{[^}]*\})?[^:]*):/.exec(text);
  if (split === null) return { error: { offset: 0, expected: '"metric: expression", such as "ttft: p(99)<800ms"' } };
  const target = parseTarget(split[1] ?? "");
  if ("error" in target) return target;
  const start = split[0].length;
  const expression = parseExpression(text.slice(start), target.ok.metric);
  if ("error" in expression) return { error: { ...expression.error, offset: start + expression.error.offset } };
  return { ok: { target: target.ok, expression: expression.ok, text: text.slice(start).trim(), level: "error" } };
}

const problemOf = (text: string, { offset, expected, hint }: GrammarError): Problem => ({
  file: `--threshold "${text}"`,
  at: `character ${offset + 1}`,
  expected,
  found: text.slice(offset),
  ...(hint === undefined ? {} : { hint }),
});
