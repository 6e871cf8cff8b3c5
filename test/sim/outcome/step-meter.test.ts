import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { poolsOf, type SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { type StepMeasure, stepParts } from "../../../src/sim/outcome/step-parts.ts";
import type { StepWatch } from "../../../src/sim/outcome/step-watch.ts";
import type { StepInFlight } from "../../../src/sim/replica.ts";
import { type RunResult, timeComponents } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn, further } from "../../drawn.ts";
import { deployment, deploymentConfig } from "../../sim/random-deployment.ts";
import { bytesOf } from "../../sim/random-laws.ts";

interface Measured {
  readonly lengthNs: number;
  readonly stallNs: number;
  readonly parts: readonly number[];
  readonly stalls: Readonly<Record<string, number>>;
  readonly ranks: number;
}

/** A run in which every step is measured. */
function measured(config: SimConfig): { readonly run: RunResult; readonly steps: readonly Measured[] } {
  const began = new Map<StepInFlight, readonly [atNs: number, ranks: number]>();
  const steps: Measured[] = [];
  const watch: StepWatch = {
    tokenised: () => {},
    begins: (_replica, step, _state, atNs) => void began.set(step, [atNs, step.parts.length]),
    measures: () => true,
    ends: (step, endNs, stallNs, measure) => {
      const { parts, stalls, stallNames }: StepMeasure = measure!;
      const [beganNs, ranks] = began.get(step)!;
      steps.push({
        lengthNs: endNs - beganNs,
        stallNs,
        parts: [...parts],
        stalls: Object.fromEntries(stallNames.map((name, i) => [name, stalls[i]!])),
        ranks,
      });
    },
  };
  return { run: simulate(config, { steps: watch }), steps };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Requests of a deployment at most: in the deep suite as many as it draws. */
const requestsMax = further([Number.POSITIVE_INFINITY])[0] ?? 12;

test("the parts of every step are its length, those of all steps what the run booked, and measuring changes nothing", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(deployment, (random) => {
      const { first } = random;
      const config = deploymentConfig({ ...random, first: { ...first, n: Math.min(first.n, requestsMax) } });
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        const { run, steps } = measured(config);
        expect(bytesOf(run)).toBe(bytesOf(simulate(config)));
        expect(steps).toHaveLength(run.steps);
        const stages = Math.max(...poolsOf(config).map(({ mapping }) => mapping.pp));
        const total = new Float64Array(stepParts.length);
        const largest = Math.max(...timeComponents.map((name) => run.time[name]));
        for (const { lengthNs, stallNs, parts } of steps) {
          // Every stage of a step, and every hand-over between two, is rounded to whole ns.
          expect(Math.abs(sum(parts) - lengthNs)).toBeLessThanOrEqual(2 * stages + 1e-12 * largest);
          for (const [i, part] of parts.entries()) {
            expect(part).toBeGreaterThanOrEqual(-1e-9 * largest - 1e-6);
            total[i]! += part;
            if (part > 1) seen.add(stepParts[i]!);
          }
          const fetch = parts[stepParts.indexOf("expertFetch")]!;
          expect(Math.abs(fetch - stallNs)).toBeLessThanOrEqual(1e-12 * largest + 1e-6);
        }
        for (const [i, name] of timeComponents.entries()) {
          // Stages that stand still for experts to move do so between steps.
          if (name === "rebalance") expect(total[i]!).toBeLessThanOrEqual(run.time[name] * (1 + 1e-9) + 1e-6);
          else expect(Math.abs(total[i]! - run.time[name])).toBeLessThanOrEqual(1e-9 * largest + 1e-6);
        }
        for (const cause of new Set(steps.flatMap(({ stalls }) => Object.keys(stalls)))) {
          const booked = sum(run.pools.map(({ cache }) => cache?.stallBy?.[cause] ?? 0));
          const found = sum(steps.map(({ stalls }) => stalls[cause] ?? 0));
          expect(Math.abs(found - booked)).toBeLessThanOrEqual(1e-9 * largest + 1e-6 + 1e-9 * booked);
        }
      } catch (error) {
        // Too little memory is an answer.
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: drawn(60), seed: 7 },
  );
  expect([...seen]).toEqual(
    expect.arrayContaining([
      "attention",
      "experts",
      "expertFetch",
      "hostOverhead",
      "pipeline",
      "stageWait",
      "expertWait",
    ]),
  );
});
