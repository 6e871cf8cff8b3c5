import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SloMetric, type SloMetricName, sloMetricNames, sloMetrics } from "../../src/metrics/slo-metrics.ts";
import {
  comparators,
  parseExpression,
  parseTarget,
  printTarget,
  type SloExpression,
} from "../../src/scenario/slo-expression.ts";

/** The expression as its canonical text; parsing it gives the expression back. */
function printExpression(expression: SloExpression): string {
  const { aggregation } = expression;
  const left = aggregation.kind === "percentile" ? `p(${aggregation.percent})` : aggregation.kind;
  return `${left}${expression.comparator}${expression.number}${expression.unit}`;
}

const units: Readonly<Record<SloMetric["dimension"], readonly string[]>> = {
  duration: ["ns", "us", "ms", "s", "min", "h"],
  rate: ["/s", "/min", "/h"],
  ratio: ["", "%"],
  number: [""],
};

const numbers = fc.oneof(
  fc.nat(2000).map(String),
  fc.tuple(fc.nat(999), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom("1e3", "2.5e-1", "7E+2"),
);

/** Texts of the grammar with the metric they are about. */
const expressions = fc.constantFrom(...sloMetricNames).chain((metric) => {
  const { aggregations, dimension }: SloMetric = sloMetrics[metric];
  const aggregation = fc.constantFrom(...aggregations).chain((kind) =>
    kind === "percentile"
      ? fc.oneof(
          fc.integer({ min: 1, max: 999 }).map((n) => `p(${n / 10})`),
          fc.integer({ min: 1, max: 99 }).map((n) => `p${n}`),
          fc.constantFrom("med", "p( 99 )"),
        )
      : fc.constantFrom(kind, ...(kind === "mean" ? ["avg"] : [])),
  );
  return aggregation.chain((left) =>
    fc
      .tuple(
        fc.constantFrom(...Object.keys(comparators)),
        numbers,
        fc.constantFrom(...units[left === "rate" ? "ratio" : dimension]),
        fc.constantFrom("", " ", "  "),
      )
      .map(([comparator, number, unit, space]) => ({
        metric,
        text: [left, comparator, number + unit].join(space),
      })),
  );
});

test("comparators differ at the limit itself", () => {
  const holding = (value: number) =>
    Object.entries(comparators).flatMap(([name, holds]) => (holds(value, 1) ? name : []));
  expect(holding(0.5)).toEqual(["<", "<="]);
  expect(holding(1)).toEqual(["<=", ">=", "=="]);
  expect(holding(1.5)).toEqual([">", ">="]);
});

describe("expressions", () => {
  test("printing and parsing again gives the same expression", () => {
    fc.assert(
      fc.property(expressions, ({ metric, text }) => {
        const parsed = parseExpression(text, metric);
        if ("error" in parsed) throw new Error(`${text}: expected ${parsed.error.expected}`);
        expect(parseExpression(printExpression(parsed.ok), metric)).toEqual(parsed);
      }),
    );
  });

  test("no text makes the parser throw, and an error points into the text or to its end", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...sloMetricNames),
        fc.oneof(
          fc.string(),
          fc
            .array(fc.constantFrom("p", "(", ")", "99", "<", "=", ">", "ms", " ", "mean", "%", ".", "e"))
            .map((parts) => parts.join("")),
        ),
        (metric, text) => {
          const parsed = parseExpression(text, metric);
          if (!("error" in parsed)) return;
          expect(parsed.error.offset).toBeGreaterThanOrEqual(0);
          expect(parsed.error.offset).toBeLessThanOrEqual(text.length);
          expect(parsed.error.expected).not.toBe("");
        },
      ),
    );
  });

  test.each([
    ["p(99)<800ms", 800e6],
    ["p(99) <= 1.5 s", 1.5e9],
    ["mean<2min", 120e9],
    ["max<10us", 10_000],
  ])("%s has its limit in ns", (text, limit) => {
    expect(parseExpression(text, "ttft")).toMatchObject({ ok: { limit } });
  });

  test.each([
    ["goodput", "rate>99%", 0.99],
    ["goodput", "rate>0.99", 0.99],
    ["requestRate", "value>=120/min", 2],
    ["throughput", "value>1500", 1500],
    ["rejected", "rate<1%", 0.01],
    ["rejected", "value==0", 0],
  ] as const)("%s: %s has its limit in base units", (metric, text, limit) => {
    expect(parseExpression(text, metric)).toMatchObject({ ok: { limit } });
  });

  test("med is p(50), avg is mean, parentheses may be left out", () => {
    const print = (text: string) => {
      const parsed = parseExpression(text, "ttft");
      return "ok" in parsed ? printExpression(parsed.ok) : parsed.error;
    };
    expect(print("med<1s")).toBe("p(50)<1s");
    expect(print("avg<1s")).toBe("mean<1s");
    expect(print("p99.9<1s")).toBe("p(99.9)<1s");
  });

  test.each([
    ["ttft", "", 0],
    ["ttft", "p(99)", 5],
    ["ttft", "p(99)<", 6],
    ["ttft", "p(99)<800", 9],
    ["ttft", "p(99)<800mb", 9],
    ["ttft", "p(99)<800ms and more", 12],
    ["ttft", "p(0)<1s", 2],
    ["ttft", "p(100)<1s", 2],
    ["ttft", "p(99<1s", 4],
    ["ttft", "p(99)=1s", 5],
    ["ttft", "p(99)<-1s", 6],
    ["ttft", "meen<1s", 0],
    ["ttft", "rate<1s", 0],
    ["ttft", "value<1s", 0],
    ["goodput", "p(99)>0.9", 0],
    ["goodput", "rate>0.9s", 8],
    ["throughput", "value>100/s", 9],
    ["requestRate", "value>100", 9],
    ["throughput", `value>${"9".repeat(400)}`, 406],
  ] as const)("%s: %j is wrong at character %i", (metric, text, offset) => {
    expect(parseExpression(text, metric)).toMatchObject({ error: { offset } });
  });

  test("a misspelled aggregation is recognised", () => {
    expect(parseExpression("meam<1s", "ttft")).toMatchObject({ error: { hint: "did you mean mean?" } });
  });
});

describe("targets", () => {
  const classes = fc.stringMatching(/^[a-zA-Z0-9_.-]([a-zA-Z0-9 _.-]{0,10}[a-zA-Z0-9_.-])?$/);
  const byClass = sloMetricNames.filter((name) => sloMetrics[name].byClass);

  test("printing and parsing again gives the same target", () => {
    fc.assert(
      fc.property(fc.constantFrom(...byClass), fc.option(classes), (metric: SloMetricName, requestClass) => {
        expect(parseTarget(printTarget({ metric, requestClass }))).toEqual({ ok: { metric, requestClass } });
      }),
    );
  });

  test("space around the parts does not matter", () => {
    expect(parseTarget(" ttft { class : long chat } ")).toEqual({ ok: { metric: "ttft", requestClass: "long chat" } });
  });

  test.each([
    ["", 0],
    ["tfft", 0],
    ["ttft{", 5],
    ["ttft{klass:chat}", 5],
    ["ttft{class}", 10],
    ["ttft{class:}", 11],
    ["ttft{class:chat", 15],
    ["ttft{class:chat}x", 16],
    ["ttft chat", 5],
    ["itl{class:chat}", 3],
  ])("%j is wrong at character %i", (text, offset) => {
    expect(parseTarget(text)).toMatchObject({ error: { offset } });
  });
});
