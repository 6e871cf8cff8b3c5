import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import type { RequestTable } from "../../../src/trace/request-table.ts";
import type { ArrivalSpec } from "../../../src/trace/requests/generate/arrivals.ts";
import { generateRequests } from "../../../src/trace/requests/generate/generate-requests.ts";
import type { ClassSpec, GenerateSpec } from "../../../src/trace/requests/generate/generate-spec.ts";
import type { LengthSpec } from "../../../src/trace/requests/generate/lengths.ts";
import { summariseRequests } from "../../../src/trace/requests/summarise-requests.ts";

const fixed: LengthSpec = { kind: "fixed", tokens: 100 };
const plain: ClassSpec = { name: "chat", lengths: { prompt: fixed, output: fixed } };
const poisson: ArrivalSpec = { kind: "poisson", ratePerSecond: 8 };

const generate = (spec: Partial<GenerateSpec>, seed = 11, tables: Record<string, RequestTable> = {}) =>
  generateRequests(
    { arrivals: poisson, classes: [plain], requests: 40_000, ...spec },
    new RandomStream(seed, "w"),
    tables,
  );

/** Mean and standard deviation. */
function moments(values: ArrayLike<number>): { mean: number; sd: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return { mean, sd: Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length) };
}

const gapsOf = (table: RequestTable) => Array.from(table.arrivalNs, (atNs, i) => atNs - (table.arrivalNs[i - 1] ?? 0));

describe("arrivals", () => {
  test.each([
    ["poisson", poisson, 1],
    ["gamma of burstiness 1", { kind: "gamma", ratePerSecond: 8, burstiness: 1 }, 1],
    ["gamma of burstiness 0.25", { kind: "gamma", ratePerSecond: 8, burstiness: 0.25 }, 2],
    ["gamma of burstiness 4", { kind: "gamma", ratePerSecond: 8, burstiness: 4 }, 0.5],
  ] as const)("%s: the rate is the stated one and the CV of gaps 1 / sqrt(burstiness)", (_, arrivals, cv) => {
    const gaps = gapsOf(generate({ arrivals }));
    const { mean, sd } = moments(gaps);
    expect(Math.abs(mean / 125e6 - 1)).toBeLessThan((3.3 * cv) / Math.sqrt(gaps.length));
    expect(Math.abs(sd / mean / cv - 1)).toBeLessThan(0.04);
  });

  test("poisson gaps are exponential: the share above t is exp(-rate t)", () => {
    const gaps = gapsOf(generate({}));
    for (const t of [0.25, 1, 2, 3]) {
      const share = gaps.filter((ns) => ns > t * 125e6).length / gaps.length;
      expect(Math.abs(share - Math.exp(-t))).toBeLessThan(3.3 * Math.sqrt(Math.exp(-t) / gaps.length));
    }
  });

  test("constant arrivals are exact multiples of the interval", () => {
    const { arrivalNs } = generate({ arrivals: { kind: "constant", ratePerSecond: 3 }, requests: 3001 });
    expect([...arrivalNs]).toEqual(Array.from({ length: 3001 }, (_, i) => Math.round((i * 1e9) / 3)));
  });

  test("on-off: the mean rate weighs both phases by their length, and the counts are overdispersed", () => {
    const arrivals = {
      kind: "onOff",
      onRatePerSecond: 20,
      offRatePerSecond: 2,
      onMeanSeconds: 3,
      offMeanSeconds: 6,
    } as const;
    const table = generate({ arrivals, requests: 200_000 });
    const { ratePerSecond, dispersion10s } = summariseRequests(table);
    const cycles = 200_000 / (8 * 9);
    expect(Math.abs((ratePerSecond ?? 0) / 8 - 1)).toBeLessThan(3.3 / Math.sqrt(cycles));
    // Variance of counts of a two-state MMPP in a window t (Fischer and Meier-Hellstern 1993).
    const [r, t] = [1 / 3 + 1 / 6, 10];
    const growth = (2 * (20 - 2) ** 2 * (3 / 9) * (6 / 9)) / (8 * r);
    const expected = 1 + growth * (1 - (1 - Math.exp(-r * t)) / (r * t));
    expect(Math.abs((dispersion10s ?? 0) / expected - 1)).toBeLessThan(0.1);
  });

  test("on-off starts in either phase with its long-run probability", () => {
    const arrivals = {
      kind: "onOff",
      onRatePerSecond: 1000,
      offRatePerSecond: 0,
      onMeanSeconds: 50,
      offMeanSeconds: 150,
    } as const;
    const seeds = Array.from({ length: 600 }, (_, seed) => seed);
    const startedOn = seeds.filter((seed) => generate({ arrivals, requests: 1 }, seed).arrivalNs[0]! < 20e6).length;
    expect(Math.abs(startedOn / 600 - 0.25)).toBeLessThan(3.3 * Math.sqrt((0.25 * 0.75) / 600));
  });

  test("on-off with equal rates is poisson", () => {
    const arrivals = {
      kind: "onOff",
      onRatePerSecond: 8,
      offRatePerSecond: 8,
      onMeanSeconds: 1,
      offMeanSeconds: 0.2,
    } as const;
    const { mean, sd } = moments(gapsOf(generate({ arrivals })));
    expect(mean / 125e6).toBeCloseTo(1, 1);
    expect(Math.abs(sd / mean - 1)).toBeLessThan(0.03);
  });

  test("on-off with a silent phase leaves gaps as long as the phase", () => {
    const arrivals = {
      kind: "onOff",
      onRatePerSecond: 1000,
      offRatePerSecond: 0,
      onMeanSeconds: 1,
      offMeanSeconds: 5,
    } as const;
    const silences = gapsOf(generate({ arrivals, requests: 400_000 })).filter((ns) => ns > 50e6);
    const { mean } = moments(silences);
    expect(Math.abs((mean - 50e6) / 5e9 - 1)).toBeLessThan(3.3 / Math.sqrt(silences.length));
  });

  test.each([
    poisson,
    { kind: "constant", ratePerSecond: 0.7 },
    { kind: "gamma", ratePerSecond: 3, burstiness: 0.1 },
  ] as const)("arrivals are whole nanoseconds in order, %j", (arrivals) => {
    const { arrivalNs } = generate({ arrivals, requests: 5000 });
    expect(arrivalNs.every((atNs, i) => Number.isSafeInteger(atNs) && atNs >= (arrivalNs[i - 1] ?? 0))).toBe(true);
  });

  test("a duration ends the arrivals, with or without a number of requests", () => {
    const whole = generate({ requests: 5000 }).arrivalNs;
    const { requests: _, ...open } = { arrivals: poisson, classes: [plain], requests: 0, durationSeconds: 60 };
    const minute = generateRequests(open, new RandomStream(11, "w")).arrivalNs;
    expect([...minute]).toEqual([...whole].filter((atNs) => atNs < 60e9));
    expect(generate({ requests: 10, durationSeconds: 60 }).count).toBe(10);
  });

  test("a closed loop has all its requests at the start", () => {
    const table = generate({ arrivals: null, requests: 5 });
    expect([...table.arrivalNs]).toEqual([0, 0, 0, 0, 0]);
    expect(table.origin.notes.join()).toContain("closed loop");
  });
});

describe("lengths", () => {
  const draw = (prompt: LengthSpec) =>
    generate({ classes: [{ name: "a", lengths: { prompt, output: fixed } }] }).promptTokens;

  test.each([
    [{ kind: "uniform", low: 10, high: 19 }, 14.5, Math.sqrt(99 / 12)],
    [{ kind: "lognormal", mean: 1155, p50: 1020 }, 1155, 1155 * Math.sqrt((1155 / 1020) ** 2 - 1)],
    [{ kind: "lognormal", mean: 500, sigma: 0.5 }, 500, 500 * Math.sqrt(Math.exp(0.25) - 1)],
    [{ kind: "gamma", mean: 800, cv: 0.5 }, 800, 400],
    [{ kind: "exponential", mean: 700 }, 700, 700],
    [{ kind: "geometric", mean: 20 }, 20, Math.sqrt(380)],
  ] as const)("%j has the mean and deviation of its law", (spec, mean, sd) => {
    const found = moments(draw(spec));
    expect(Math.abs(found.mean - mean)).toBeLessThan((3.3 * sd) / Math.sqrt(40_000));
    expect(Math.abs(found.sd / sd - 1)).toBeLessThan(0.05);
  });

  test("a lognormal has half its draws at or below its median", () => {
    const below = draw({ kind: "lognormal", mean: 2048, p50: 1469 }).filter((tokens) => tokens <= 1469).length;
    expect(Math.abs(below / 40_000 - 0.5)).toBeLessThan(3.3 * Math.sqrt(0.25 / 40_000));
  });

  test("a lognormal without spread, or with the mean as median, is constant", () => {
    expect(new Set(draw({ kind: "lognormal", mean: 50, sigma: 0 }))).toEqual(new Set([50]));
    expect(new Set(draw({ kind: "lognormal", mean: 50, p50: 50 }))).toEqual(new Set([50]));
  });

  test("a geometric length stops at each token with probability 1 / mean", () => {
    const tokens = draw({ kind: "geometric", mean: 4 });
    for (const n of [1, 2, 5]) {
      const share = tokens.filter((value) => value === n).length / tokens.length;
      const expected = 0.25 * 0.75 ** (n - 1);
      expect(Math.abs(share - expected)).toBeLessThan(3.3 * Math.sqrt(expected / tokens.length));
    }
    expect(new Set(draw({ kind: "geometric", mean: 1 }))).toEqual(new Set([1]));
  });

  test("a uniform length takes every value of its range equally often", () => {
    const tokens = draw({ kind: "uniform", low: 3, high: 5 });
    expect(new Set(tokens)).toEqual(new Set([3, 4, 5]));
    const share = tokens.filter((value) => value === 5).length / tokens.length;
    expect(Math.abs(share - 1 / 3)).toBeLessThan(0.01);
  });

  test("bounds clamp a draw without changing the draws between them", () => {
    const law: LengthSpec = { kind: "exponential", mean: 700 };
    const clamped = draw({ ...law, minTokens: 100, maxTokens: 1000 });
    expect(clamped).toEqual(draw(law).map((tokens) => Math.min(1000, Math.max(100, tokens))));
  });

  test("no length is below one token", () => {
    expect(draw({ kind: "exponential", mean: 1 }).every((tokens) => tokens >= 1)).toBe(true);
  });

  test("lengths from a table are its pairs, each as likely as the others", () => {
    const source = generate({
      requests: 10,
      classes: [
        {
          name: "a",
          lengths: { prompt: { kind: "uniform", low: 1, high: 9999 }, output: { kind: "uniform", low: 1, high: 9999 } },
        },
      ],
    });
    const table = generate({ classes: [{ name: "b", lengths: { lengthsFrom: "azure" } }] }, 3, { azure: source });
    const pairs = new Map(Array.from(source.promptTokens, (prompt, i) => [`${prompt} ${source.outputTokens[i]}`, 0]));
    expect(pairs.size).toBe(10);
    for (const [i, prompt] of table.promptTokens.entries()) {
      const pair = `${prompt} ${table.outputTokens[i]}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    expect(pairs.size).toBe(10);
    for (const count of pairs.values()) expect(Math.abs(count - 4000)).toBeLessThan(4 * Math.sqrt(4000 * 0.9));
    expect(table.origin.notes.join()).toContain(source.origin.digest);
  });
});

describe("streams", () => {
  const short: ClassSpec = {
    name: "short",
    weight: 3,
    lengths: { prompt: { kind: "exponential", mean: 90 }, output: { kind: "gamma", mean: 50, cv: 2 } },
    domains: { code: 1, math: 3 },
  };
  const long: ClassSpec = {
    name: "long",
    lengths: { prompt: { kind: "lognormal", mean: 3000, sigma: 1 }, output: fixed },
    domains: { prose: 1 },
  };
  const base = generate({ classes: [short, long], requests: 3000 });
  const ofClass = (table: RequestTable, name: string) => {
    const index = table.classes.indexOf(name);
    const rows = [...table.classOf.keys()].filter((row) => table.classOf[row] === index);
    return rows.map((row) => [
      table.promptTokens[row],
      table.outputTokens[row],
      table.domains[table.domainOf?.[row] ?? -1],
    ]);
  };

  test("the same seed gives the same table, another seed another", () => {
    expect(generate({ classes: [short, long], requests: 3000 })).toEqual(base);
    const other = generate({ classes: [short, long], requests: 3000 }, 12);
    expect(other.arrivalNs).not.toEqual(base.arrivalNs);
    expect(other.promptTokens).not.toEqual(base.promptTokens);
    expect(other.origin.digest).not.toBe(base.origin.digest);
  });

  test("other arrivals leave classes, lengths and domains as they are", () => {
    const other = generate({
      classes: [short, long],
      requests: 3000,
      arrivals: { kind: "gamma", ratePerSecond: 1, burstiness: 0.3 },
    });
    expect(other.arrivalNs).not.toEqual(base.arrivalNs);
    for (const key of ["promptTokens", "outputTokens", "classOf", "domainOf"] as const)
      expect(other[key]).toEqual(base[key]);
  });

  test("another law of one class's prompts leaves everything else as it is", () => {
    const changed = {
      ...short,
      lengths: { prompt: { kind: "gamma", mean: 9, cv: 1.3 }, output: { kind: "gamma", mean: 50, cv: 2 } },
    } as const;
    const other = generate({ classes: [changed, long], requests: 3000 });
    expect(other.promptTokens).not.toEqual(base.promptTokens);
    for (const key of ["arrivalNs", "outputTokens", "classOf", "domainOf"] as const)
      expect(other[key]).toEqual(base[key]);
    expect(ofClass(other, "long")).toEqual(ofClass(base, "long"));
  });

  test("other weights change which requests a class gets, not what its n-th request is", () => {
    const other = generate({ classes: [{ ...short, weight: 1 }, long], requests: 3000 });
    expect(other.arrivalNs).toEqual(base.arrivalNs);
    const [fewer, more] = [ofClass(other, "short"), ofClass(base, "short")];
    expect(fewer.length).toBeLessThan(more.length);
    expect(more.slice(0, fewer.length)).toEqual(fewer);
  });

  test("classes of the same laws, and prompts and outputs of the same law, are independent", () => {
    const law: LengthSpec = { kind: "uniform", low: 1, high: 1000 };
    const twins = ["a", "b"].map((name) => ({ name, lengths: { prompt: law, output: law } }));
    const table = generate({ classes: twins });
    expect(Math.abs(summariseRequests(table).lengthCorrelation ?? 1)).toBeLessThan(3.3 / Math.sqrt(table.count));
    const [a, b] = [ofClass(table, "a"), ofClass(table, "b")];
    const same = a.slice(0, 15_000).filter(([prompt], i) => prompt === b[i]?.[0]).length;
    expect(same).toBeLessThan(15 + 4 * Math.sqrt(15));
  });

  test("classes and domains come in the shares of their weights", () => {
    const table = generate({ classes: [short, long] });
    const shorts = ofClass(table, "short");
    expect(Math.abs(shorts.length / table.count - 0.75)).toBeLessThan(3.3 * Math.sqrt(0.1875 / table.count));
    const math = shorts.filter(([, , domain]) => domain === "math").length / shorts.length;
    expect(Math.abs(math - 0.75)).toBeLessThan(3.3 * Math.sqrt(0.1875 / shorts.length));
    expect(table.domains).toEqual(["code", "math", "prose"]);
    expect(ofClass(table, "long").every(([, , domain]) => domain === "prose")).toBe(true);
  });

  test("more requests continue the same workload", () => {
    const longer = generate({ classes: [short, long], requests: 4000 });
    expect(longer.arrivalNs.subarray(0, 3000)).toEqual(base.arrivalNs);
    expect(longer.promptTokens.subarray(0, 3000)).toEqual(base.promptTokens);
  });
});

test("a spec that cannot be drawn from is refused with every problem", () => {
  const wrong: GenerateSpec = {
    arrivals: { kind: "gamma", ratePerSecond: Number.NaN, burstiness: 1 },
    requests: 0,
    classes: [
      {
        name: "a",
        weight: -1,
        lengths: { prompt: { kind: "lognormal", mean: 10, p50: 20 }, output: { kind: "fixed", tokens: 1.5 } },
      },
      { name: "a", lengths: { lengthsFrom: "nowhere" }, domains: {} },
      {
        name: "b",
        lengths: { prompt: { kind: "uniform", low: 9, high: 3 }, output: { ...fixed, minTokens: 5, maxTokens: 4 } },
      },
    ],
  };
  const paths = [
    "requests",
    "arrivals.ratePerSecond",
    "classes",
    "classes[0].weight",
    "classes[0].lengths.prompt.p50",
    "classes[0].lengths.output.tokens",
    "classes[1].name",
    "classes[1].domains",
    "classes[1].lengths.lengthsFrom",
    "classes[2].lengths.prompt.high",
    "classes[2].lengths.output.maxTokens",
  ];
  const problems = refused(wrong);
  expect(problems).toEqual(paths);
});

test("a workload without an end, or that would never arrive, is refused", () => {
  const silent = {
    kind: "onOff",
    onRatePerSecond: 0,
    offRatePerSecond: 0,
    onMeanSeconds: 1,
    offMeanSeconds: 1,
  } as const;
  expect(refused({ arrivals: poisson, classes: [plain] })).toEqual(["requests"]);
  expect(refused({ arrivals: null, classes: [plain], durationSeconds: 5 })).toEqual(["requests"]);
  expect(refused({ arrivals: silent, classes: [plain], requests: 1 })).toEqual(["arrivals"]);
  expect(refused({ arrivals: { ...poisson, ratePerSecond: 1e9 }, classes: [plain], durationSeconds: 1e9 })).toEqual([
    "arrivals",
  ]);
  expect(refused({ arrivals: poisson, classes: [plain], durationSeconds: 1e-9 })).toEqual(["durationSeconds"]);
  expect(refused({ arrivals: { ...poisson, ratePerSecond: 1e-9 }, classes: [plain], requests: 9 })).toEqual([
    "arrivals",
  ]);
});

function refused(spec: GenerateSpec): (string | undefined)[] {
  try {
    generateRequests(spec, new RandomStream(1, "w"));
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(({ at }) => at);
    throw error;
  }
  throw new Error("the spec was not refused");
}
