import { describe, expect, test } from "vitest";
import { simulate } from "../../../src/sim/simulate.ts";
import { PromptTime } from "../../../src/sim/step/prompt-time.ts";
import { singleDevice, testConfig, testEngine, testRequests } from "../build.ts";

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe("the prompts' part of step time", () => {
  test("is all of a step of prompts, nothing of a step of outputs", () => {
    const time = new PromptTime();
    time.add(70, 128, 0);
    time.add(10, 0, 4);
    expect(time.ns).toBe(70);
  });

  test("of a mixed step is what it takes beyond the latest step of outputs", () => {
    const time = new PromptTime();
    time.add(10, 0, 4);
    time.add(50, 96, 4);
    expect(time.ns).toBe(40);
    time.add(12, 0, 5);
    time.add(50, 95, 5);
    expect(time.ns).toBe(78);
  });

  test("leaves the outputs their share of the tokens, and never takes more than the step", () => {
    const time = new PromptTime();
    time.add(100, 75, 25);
    expect(time.ns).toBe(75);
    time.add(1000, 0, 1);
    time.add(50, 99, 1);
    expect(time.ns).toBe(75);
  });
});

describe("the simulator", () => {
  test.each([true, false])("books prompts of requests that emit one token as all of its time, mixing %s", (mixes) => {
    const requests = testRequests([
      { prompt: 300, output: 1 },
      { prompt: 900, output: 1 },
    ]);
    const engine = testEngine({ mixesPrefillWithDecode: mixes });
    const run = simulate(testConfig({ engine, workload: { kind: "open", requests } }));
    expect(run.promptBusyNs).toBe(sum(run.replicaBusyNs));
  });

  test("books the prompt of a single request as the time to its first token", () => {
    const requests = testRequests([{ prompt: 100, output: 10 }]);
    for (const mapping of [singleDevice, { ...singleDevice, tp: 2, etp: 2 }]) {
      const run = simulate(testConfig({ mapping, workload: { kind: "open", requests } }));
      expect(run.promptBusyNs).toBe(run.requests.firstTokenNs[0]! - run.requests.scheduledNs[0]!);
      expect(run.promptBusyNs).toBeLessThan(sum(run.replicaBusyNs));
    }
  });
});
