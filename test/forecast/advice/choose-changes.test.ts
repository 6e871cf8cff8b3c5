import { describe, expect, test } from "vitest";
import type { AdviceRule, Situation } from "../../../src/forecast/advice/advice-rule.ts";
import { causesOf, chooseChanges } from "../../../src/forecast/advice/choose-changes.ts";
import { builtInPolicies } from "../../../src/policy/policy-tables.ts";
import { forecast, stats } from "../../report/build.ts";
import { resolved } from "../example-forecast.ts";

const situation: Situation = {
  config: resolved.config,
  forecast: forecast(),
  policy: { router: "least-loaded" },
  policies: builtInPolicies,
};
const rule = (name: string, causes: AdviceRule["causes"], parts: Partial<AdviceRule> = {}): AdviceRule => ({
  causes,
  change: () => ({ text: name, set: [`${name}=1`] }),
  ...parts,
});
const chosen = (causes: Parameters<typeof chooseChanges>[0], rules: readonly AdviceRule[]) =>
  chooseChanges(causes, situation, rules).map(({ text }) => text);

describe("changes to try", () => {
  const rules = [
    rule("a1", ["experts"]),
    rule("a2", ["experts"]),
    rule("b1", ["attention"]),
    rule("c1", ["dispatch"]),
    rule("never", ["experts"], { change: () => null }),
  ];

  test("are three at most, causes taking turns by their share", () => {
    const shares = (experts: number, attention: number, dispatch: number) => [
      { cause: "experts" as const, share: experts },
      { cause: "attention" as const, share: attention },
      { cause: "dispatch" as const, share: dispatch },
    ];
    expect(chosen(shares(0.5, 0.2, 0.1), rules)).toEqual(["a1", "a2", "b1"]);
    expect(chosen(shares(0.5, 0.3, 0.1), rules)).toEqual(["a1", "b1", "a2"]);
    expect(chosen(shares(0.1, 0.3, 0.2), rules)).toEqual(["b1", "c1", "a1"]);
  });

  test("are proposed once, whatever causes they are for", () => {
    const both = [
      { cause: "experts" as const, share: 0.5 },
      { cause: "attention" as const, share: 0.4 },
    ];
    expect(chosen(both, [rule("x", ["experts", "attention"])])).toEqual(["x"]);
  });

  test("that change what the model computes stand back", () => {
    const causes = [
      { cause: "experts" as const, share: 0.5 },
      { cause: "attention" as const, share: 0.3 },
    ];
    expect(chosen(causes, [rule("a", ["experts"], { changesOutput: true }), rule("b", ["attention"])])).toEqual([
      "b",
      "a",
    ]);
  });
});

describe("causes", () => {
  const shares = { ...forecast().timeShare, experts: 0.6, attention: 0.38, head: 0.02, expertFetch: 0 };
  const queued = { ...forecast().latency, queue: stats(90), ttft: stats(100) };

  test("are the bottleneck and the components with a share worth speaking of", () => {
    const found = causesOf(forecast({ timeShare: shares }), true);
    expect(found).toEqual([
      { cause: "experts", share: 0.6 },
      { cause: "attention", share: 0.38 },
    ]);
  });

  test("have the queue among them where requests wait most of their first token, unless tokens are in question", () => {
    const stable = { ...forecast().load, verdict: "stable" } as const;
    const run = forecast({ timeShare: shares, latency: queued, load: stable });
    expect(causesOf(run, false)[0]).toEqual({ cause: "queue", share: 0.9 });
    expect(causesOf(run, true)[0]?.cause).toBe("experts");
    const brief = forecast({ timeShare: shares, latency: { ...queued, queue: stats(10) }, load: stable });
    expect(causesOf(brief, false)[0]?.cause).toBe("experts");
    expect(causesOf(forecast({ load: { ...stable, verdict: "overloaded" } }), false)[0]?.cause).toBe("queue");
  });
});
