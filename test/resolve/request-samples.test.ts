import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { areBusier, fewestOfAll, leastSample } from "../../src/resolve/request-samples.ts";
import { resolveWorkload } from "../../src/resolve/resolve-requests.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

/** The traffic of a scenario, and the requests that it gives. */
async function trafficOf(traffic: string) {
  const text = `version: 1\nname: samples\nmodel: { id: qwen3-30b-a3b }\nhardware: { system: h100-sxm-8 }\nengine: { id: vllm }\nrouting: { kind: uniform }\ntraffic: ${traffic}\n`;
  const scenario = parseScenario(text, "samples.yaml");
  const workload = await resolveWorkload(scenario);
  const clients = workload.kind === "closed" ? workload.concurrency : null;
  return { traffic: scenario.traffic, requests: workload.requests, clients };
}
const lengths = "isl: { kind: fixed, tokens: 20 }, osl: { kind: fixed, tokens: 10 }";
const least = async (traffic: string) => {
  const { traffic: section, requests, clients } = await trafficOf(traffic);
  return leastSample(section, requests, clients);
};

describe("the fewest requests that stand for all", () => {
  test("show every client of a closed loop several times", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), async (clients) => {
        const arrivals = `{ kind: closed, maxConcurrency: ${clients} }`;
        const n = await least(`{ kind: generated, requests: 9000, arrivals: ${arrivals}, ${lengths} }`);
        expect(n).toBe(Math.max(100, 4 * clients));
      }),
      { numRuns: 20 },
    );
  });

  test("are all of those that follow from groups, and of classes whose shares change", async () => {
    const arrivals = "arrivals: { kind: closed, maxConcurrency: 2 }";
    const question =
      "prefix: { kind: fixed, tokens: 9 }, question: { kind: fixed, tokens: 9 }, osl: { kind: fixed, tokens: 9 }";
    expect(await least(`{ kind: sharedPrefix, groups: 4, promptsPerGroup: 400, ${question}, ${arrivals} }`)).toBe(
      Number.POSITIVE_INFINITY,
    );
    const classes = `classes: [{ name: a, ${lengths} }, { name: b, ${lengths} }]`;
    const phases = "phases: [{ requests: 500, shares: { a: 1 } }, { requests: 500, shares: { b: 1 } }]";
    expect(await least(`{ kind: generated, requests: 1000, ${arrivals}, ${classes}, ${phases} }`)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test("are never busier than all, nor is any half of all that is longer", async () => {
    const stages = (first: number, then: number) =>
      `arrivals: { kind: stages, stages: [{ rate: ${first}/s, duration: 4s }, { rate: ${then}/s, duration: 1000s }] }`;
    for (const [first, then] of [
      [400, 5],
      [100, 20],
      [5, 100],
    ] as const) {
      const traffic = await trafficOf(`{ kind: generated, requests: 4000, ${stages(first, then)}, ${lengths} }`);
      const n = leastSample(traffic.traffic, traffic.requests, null);
      expect(n).toBeGreaterThanOrEqual(fewestOfAll(traffic.traffic, null));
      for (let m = traffic.requests.count; m >= n; m >>= 1) expect(areBusier(traffic.requests, m), `${m}`).toBe(false);
      if (first > then) expect(areBusier(traffic.requests, 100)).toBe(true);
      else expect(n).toBe(100);
    }
  });
});
