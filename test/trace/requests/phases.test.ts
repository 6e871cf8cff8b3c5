import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { resolveWorkload } from "../../../src/resolve/resolve-requests.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { generateRequests } from "../../../src/trace/requests/generate/generate-requests.ts";
import type { GenerateSpec, PhaseSpec } from "../../../src/trace/requests/generate/generate-spec.ts";

const tokens = (count: number) => ({ kind: "fixed", tokens: count }) as const;
const classes: GenerateSpec["classes"] = [
  { name: "code", lengths: { prompt: tokens(100), output: tokens(10) }, domains: { code: 1 } },
  { name: "chat", lengths: { prompt: tokens(50), output: tokens(5) }, domains: { chat: 1 } },
];
const generate = (phases: readonly PhaseSpec[] | undefined, requests: number, given = classes) =>
  generateRequests(
    { arrivals: null, classes: given, requests, ...(phases === undefined ? {} : { phases }) },
    new RandomStream(5, "traffic"),
  );
const shareOf = (classOf: Uint16Array, index: number) =>
  classOf.filter((each) => each === index).length / classOf.length;

describe("phases", () => {
  test("follow one another to the request; the last one lasts", () => {
    const { classOf, domainOf, domains, promptTokens } = generate(
      [
        { requests: 7, weights: { code: 1 } },
        { requests: 5, weights: { chat: 1 } },
        { requests: 2, weights: { code: 1 } },
      ],
      20,
    );
    const expected = [...Array(7).fill("code"), ...Array(5).fill("chat"), ...Array(8).fill("code")];
    expect([...classOf].map((index) => classes[index]!.name)).toEqual(expected);
    expect([...domainOf!].map((index) => domains[index])).toEqual(expected);
    expect([...promptTokens]).toEqual(expected.map((name) => (name === "code" ? 100 : 50)));
  });

  test("draw classes by their shares, and along a ramp by those of the moment", () => {
    const steady = generate(
      [{ requests: 20_000, weights: { code: 0.3, chat: 0.7 } }, { weights: { chat: 1 } }],
      30_000,
    );
    expect(shareOf(steady.classOf.subarray(0, 20_000), 0)).toBeCloseTo(0.3, 1);
    expect(shareOf(steady.classOf.subarray(20_000), 0)).toBe(0);
    const ramp = generate([{ requests: 40_000, weights: { code: 1 }, toWeights: { chat: 1 } }], 50_000).classOf;
    for (const tenth of [0, 3, 9])
      expect(shareOf(ramp.subarray(4000 * tenth, 4000 * (tenth + 1)), 1)).toBeCloseTo((tenth + 0.5) / 10, 1);
    // Behind the ramp, what it led to.
    expect(shareOf(ramp.subarray(40_000), 1)).toBe(1);
  });

  test("of one and the same mix are the classes' own shares", () => {
    const own = [0.25, 0.75].map((weight, index) => ({ ...classes[index]!, weight }));
    const weights = { code: 0.25, chat: 0.75 };
    for (const phases of [
      [{ weights }],
      [{ requests: 100, weights }, { requests: 50, weights, toWeights: weights }, { weights }],
    ]) {
      const { origin: _, ...drawn } = generate(phases, 500);
      const { origin: __, ...plain } = generate(undefined, 500, own);
      expect(drawn).toEqual(plain);
    }
  });

  test("more requests continue the same workload", () => {
    const phases = [
      { requests: 100, weights: { code: 1 }, toWeights: { chat: 1 } },
      { weights: { chat: 0.5, code: 0.5 } },
    ];
    const few = generate(phases, 150);
    expect(generate(phases, 400).classOf.subarray(0, 150)).toEqual(few.classOf);
  });

  test("that cannot be drawn from are refused with their places", () => {
    const bad: readonly PhaseSpec[] = [
      { weights: { code: 1 } },
      { requests: 3, weights: { code: 0 }, toWeights: { maths: -1 } },
    ];
    try {
      generate(bad, 10);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInputError);
      expect((error as InvalidInputError).problems.map(({ at }) => at)).toEqual([
        "phases[0].requests",
        "phases[1].weights",
        "phases[1].toWeights",
        "phases[1].toWeights.maths",
        "phases[1].toWeights",
      ]);
    }
  });
});

describe("phases of a scenario", () => {
  const length = "isl: { kind: fixed, tokens: 10 }, osl: { kind: fixed, tokens: 2 }";
  const scenario = (given: string, traffic: string) =>
    parseScenario(
      `version: 1
name: drift
description: classes that take turns
model: { id: gpt-oss-20b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm }
routing: { kind: published, id: gpt-oss-20b }
traffic:
  kind: generated
  requests: 6
  arrivals: { kind: closed, maxConcurrency: 2 }
  classes:
    - { name: code, ${given}${length} }
    - { name: chat, ${length} }
${traffic}`,
      "drift.yaml",
    );
  const problemsOf = (given: string, traffic: string) => {
    try {
      scenario(given, traffic);
      return [];
    } catch (error) {
      return (error as InvalidInputError).problems.map(({ at, expected }) => `${at}: ${expected}`);
    }
  };

  test("give the classes of requests", async () => {
    const { requests } = await resolveWorkload(
      scenario("", "  phases: [{ requests: 2, shares: { chat: 1 } }, { shares: { code: 100% } }]"),
    );
    expect([...requests.classOf]).toEqual([1, 1, 0, 0, 0, 0]);
  });

  test.each([
    ["", "", ["traffic.classes[0].share: a share", "traffic.classes[1].share: a share"]],
    ["share: 1, ", "  phases: [{ shares: { code: 1 } }]", ["traffic.classes[0].share: no share beside phases"]],
    ["", "  phases: [{ shares: { code: 0.4 } }]", ["traffic.phases[0].shares: shares that sum to 1"]],
    ["", "  phases: [{ shares: { cod: 1 } }]", ["traffic.phases[0].shares.cod: a class: code, chat"]],
    ["", "  phases: [{ shares: { code: 1 } }, { shares: { chat: 1 } }]", ["traffic.phases[0].requests: how many"]],
    ["", "  phases: [{ shares: { code: 1 }, rampTo: { chat: 1 } }]", ["traffic.phases[0].requests: how many"]],
    ["", "  phases: []", ["traffic.phases: "]],
  ] as const)("%s%s are refused", (given, traffic, expected) => {
    const problems = problemsOf(given, traffic);
    expect(problems.length).toBe(expected.length);
    for (const [index, text] of expected.entries()) expect(problems[index]).toContain(text);
  });
});
