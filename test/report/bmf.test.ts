import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { metricEntries } from "../../src/metrics/metrics.ts";
import { bmfExport } from "../../src/report/bmf.ts";
import { forecast, overloaded } from "./build.ts";

/** The schema that bencher.dev publishes for its format (bencher.dev/bmf.json). */
const number = { type: "number" };
const metric = {
  type: "object",
  properties: { value: number, lower_value: number, upper_value: number },
  required: ["value"],
};
const measures = { type: "object", patternProperties: { ".+": metric } };
const valid = new Ajv({ validateFormats: false }).compile({
  type: "object",
  patternProperties: { ".+": measures },
});

type Bmf = Record<string, Record<string, { value: number; lower_value?: number; upper_value?: number }>>;

function read(...forecasts: readonly Forecast[]): Bmf {
  const document = JSON.parse(bmfExport.render(forecasts));
  expect(valid(document), JSON.stringify(valid.errors)).toBe(true);
  return document;
}

describe("bmf", () => {
  test("has a benchmark for the scenario and one for each class, with every figure", () => {
    const one = forecast();
    const document = read(one);
    expect(Object.keys(document)).toEqual(["small", "small, class chat", "small, class summary"]);
    const { small } = document;
    expect(small!["ttft-p99-ms"]).toEqual({ value: 250 });
    expect(small!["cost-usd-per-mtok"]).toEqual({ value: 2.25 });
    expect(small!["output-tokens-per-second"]).toEqual({ value: 1234.5 });
    const figures = metricEntries.filter(([, { of }]) => of(one) !== null);
    expect(Object.keys(small!)).toHaveLength(figures.length + 5 * 7);
    expect(document["small, class chat"]!["e2e-mean-ms"]!.value).toBe(one.latencyByClass["chat"]!.e2e.mean);
  });

  test("has the interval of a mean, and of a percentile of few samples", () => {
    const { small } = read(forecast());
    expect(small!["ttft-mean-ms"]).toEqual({ value: 100, lower_value: 95, upper_value: 105 });
    expect(small!["ttft-p999-ms"]).toEqual({ value: 290, lower_value: 260 });
  });

  test("names measures as Bencher takes slugs", () => {
    for (const slugs of Object.values(read(forecast())).map(Object.keys))
      for (const slug of slugs) expect(slug).toMatch(/^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  test("has no latency of an overloaded deployment", () => {
    const document = read(overloaded());
    expect(Object.keys(document)).toEqual(["small"]);
    expect(Object.keys(document["small"]!).filter((slug) => slug.endsWith("-ms"))).toEqual([]);
    expect(document["small"]!["overloaded"]).toEqual({ value: 1 });
  });

  test("tells scenarios of one name apart, and cuts names to what Bencher takes", () => {
    const names = Object.keys(read(forecast({ latencyByClass: {} }), forecast({ latencyByClass: {} })));
    expect(names).toEqual(["small", "small (2)"]);
    const long = forecast({ scenario: { name: "x".repeat(5000), description: "", file: "" } });
    for (const name of Object.keys(read(long, long))) expect(name.length).toBeLessThanOrEqual(1024);
  });
});
