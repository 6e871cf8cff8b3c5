import { describe, expect, test } from "vitest";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal, problemsOf } from "./example.ts";

const withSlo = `${minimal}slo:\n  ttft: ["p(99)<1s", "mean<500ms"]\n`;
const parse = (...settings: string[]) => parseScenario(withSlo, "test.yaml", { settings });

describe("a setting", () => {
  test("replaces a value", () => {
    expect(parse("seed=7").seed).toBe(7);
    expect(parse("traffic.arrivals.requestRate=9/s").traffic).toMatchObject({ arrivals: { requestRate: 9 } });
  });

  test("makes the mappings on its way", () => {
    expect(parse("policy.offload.kind=lru", "policy.offload.slots=4").policy.offload).toMatchObject({
      kind: "lru",
      slots: 4,
    });
  });

  test("replaces an item of a list, and can append one", () => {
    const thresholds = (text: string) => parse(text).slo?.thresholds.map((slo) => slo.text);
    expect(thresholds("slo.ttft[0]=p(50)<2s")).toEqual(["p(50)<2s", "mean<500ms"]);
    expect(thresholds("slo.ttft[2]=max<9s")).toEqual(["p(99)<1s", "mean<500ms", "max<9s"]);
  });

  test("keeps text in braces in one key", () => {
    const targets = parse("slo.tpot{class:a.b}=mean<1s").slo?.thresholds.map((slo) => slo.target);
    expect(targets).toContainEqual({ metric: "tpot", requestClass: "a.b" });
  });

  test("takes any YAML value, and null removes the key", () => {
    expect(parse("parallel={tp: 2, ep: 2}").parallel).toEqual({ tp: 2, ep: 2 });
    expect(parse("slo=null").slo).toBeUndefined();
    expect(parse("policy.offload.slots=null").policy?.offload).toBeUndefined();
  });

  test("is applied in order: the last one counts", () => {
    expect(parse("seed=7", "seed=8").seed).toBe(8);
  });

  test("is recorded with the scenario", () => {
    expect(parse("seed=7").overrides).toEqual(["seed=7"]);
  });
});

describe("a wrong setting", () => {
  test.each([
    ["seed", "path=value"],
    ["=3", "path=value"],
    ["a..b=3", "keys joined by dots"],
    ["slo[x]=3", "keys joined by dots"],
    ["version.inner=3", "a mapping at version"],
    ["engine[0]=3", "a list at engine"],
    ["slo.ttft[9]=p(50)<1s", "an item of 0 to 2"],
    ["seed={a: [}", "a YAML value"],
    ["seed=!evil 3", "a YAML value"],
  ])("%s is refused and named", (setting, expected) => {
    const problems = problemsOf(withSlo, { settings: [setting] });
    expect(problems.map((problem) => problem.file)).toEqual([`--set ${setting}`]);
    expect(problems[0]?.expected).toContain(expected);
  });

  test.each([
    ["seed=many", "a number"],
    ["seed=1.5", "a whole number"],
    ["seed=.inf", "a finite number"],
    ["engine.maxNumSek=3", "a key of engine"],
    ["slo.ttft[0]=p(99)<3", "a duration unit"],
    ["new.thing=3", "a key of a scenario"],
  ])("%s gives a value the schema refuses: the problem names the setting, not a line", (setting, expected) => {
    const problems = problemsOf(withSlo, { settings: [setting] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ file: `--set ${setting}` });
    expect(problems[0]).not.toHaveProperty("line");
    expect(problems[0]?.expected).toContain(expected);
  });

  test("cannot reach the prototype of anything", () => {
    for (const name of ["__proto__", "constructor", "prototype"]) {
      expect(problemsOf(withSlo, { settings: [`${name}.polluted=1`] })).toMatchObject([
        { expected: "an ordinary key" },
      ]);
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
