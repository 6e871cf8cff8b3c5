import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../src/core/errors.ts";
import { poolsOf } from "../../src/sim/config.ts";
import { mappingProblems } from "../../src/sim/mapping.ts";
import { judgeLoad } from "../../src/sim/outcome/load/judge-load.ts";
import { requestStatus } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import type { Turns } from "../../src/trace/request-table.ts";
import { drawn } from "../drawn.ts";
import { testConfig, testRequests } from "./build.ts";
import { deployment, deploymentConfig } from "./random-deployment.ts";

/** Waits of requests, each by the requests before it and its wait. */
function turnsOf(waits: readonly (readonly [previous: readonly number[], waitNs: number])[]): Turns {
  const offsets = new Uint32Array(waits.length + 1);
  for (const [i, [previous]] of waits.entries()) offsets[i + 1] = offsets[i]! + previous.length;
  return {
    offsets,
    previous: Uint32Array.from(waits.flatMap(([previous]) => previous)),
    waitNs: Float64Array.from(waits, ([, waitNs]) => waitNs),
  };
}

const lengths = fc.record({ prompt: fc.integer({ min: 1, max: 900 }), output: fc.integer({ min: 1, max: 40 }) });

test("turns without waits are a closed loop of one client, to the nanosecond", () => {
  fc.assert(
    fc.property(fc.array(lengths, { minLength: 1, maxLength: 8 }), (rows) => {
      const requests = testRequests(rows);
      const turns = turnsOf(rows.map((_, i) => [i === 0 ? [] : [i - 1], 0]));
      const chain = simulate(testConfig({ workload: { kind: "open", requests: { ...requests, turns } } }));
      const loop = simulate(testConfig({ workload: { kind: "closed", requests, concurrency: 1 } }));
      expect(chain.requests.arrivalNs).toEqual(loop.requests.arrivalNs);
      expect(chain.requests.lastTokenNs).toEqual(loop.requests.lastTokenNs);
    }),
    { numRuns: drawn(10) },
  );
});

test("in any deployment a request arrives once the last that it waits for is over, its wait later, and not before its time", () => {
  const waiting = fc.record({
    backs: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
    waitNs: fc.constantFrom(0, 1, 1e6, 3e9),
  });
  let waited = 0;
  fc.assert(
    fc.property(deployment, fc.array(waiting, { minLength: 1, maxLength: 40 }), (drawn, waits) => {
      const config = deploymentConfig(drawn);
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      const { requests } = config.workload;
      const turns = turnsOf(
        Array.from({ length: requests.count }, (_, i) => {
          const { backs, waitNs } = waits[i % waits.length]!;
          return [[...new Set(backs.map((back) => i - back).filter((earlier) => earlier >= 0))], waitNs];
        }),
      );
      try {
        const { requests: rows } = simulate({
          ...config,
          workload: { kind: "open", requests: { ...requests, turns } },
        });
        for (let i = 0; i < rows.count; i++) {
          const previous = [...turns.previous.subarray(turns.offsets[i], turns.offsets[i + 1])];
          const own = requests.arrivalNs[i]! - requests.arrivalNs[0]!;
          // When a request was refused is not recorded.
          if (previous.some((earlier) => rows.status[earlier] === requestStatus.rejected)) continue;
          const overNs = Math.max(...previous.map((earlier) => rows.lastTokenNs[earlier]!));
          expect(rows.arrivalNs[i]).toBe(previous.length === 0 ? own : Math.max(own, overNs + turns.waitNs[i]!));
          if (previous.length > 0) waited++;
        }
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: drawn(8), seed: 7 },
  );
  expect(waited).toBeGreaterThan(40);
});

test("a turn after a rejected one arrives all the same", () => {
  const requests = testRequests([
    { prompt: 5000, output: 4 },
    { prompt: 20, output: 4 },
  ]);
  const turns = turnsOf([
    [[], 0],
    [[0], 5e6],
  ]);
  const { requests: rows } = simulate(testConfig({ workload: { kind: "open", requests: { ...requests, turns } } }));
  expect([...rows.status]).toEqual([requestStatus.rejected, requestStatus.completed]);
  expect(rows.arrivalNs[1]).toBeGreaterThanOrEqual(5e6);
});

test("the load is judged by arrivals in their order, which is not that of the table", () => {
  // The second half of the table follows the first, its last request the very first one.
  const turns = turnsOf(Array.from({ length: 60 }, (_, i) => [i < 30 ? [] : [59 - i], 1e6]));
  const requests = testRequests(Array.from({ length: 60 }, (_, i) => ({ at: i * 1e8, prompt: 100, output: 4 })));
  const arrivalNs = requests.arrivalNs.map((at, i) => (i < 30 ? at : 0));
  const run = simulate(testConfig({ workload: { kind: "open", requests: { ...requests, arrivalNs, turns } } }));
  const spanNs = Math.max(...run.requests.arrivalNs) - Math.min(...run.requests.arrivalNs);
  expect(judgeLoad(run).offeredRequestsPerSecond).toBeCloseTo(59e9 / spanNs, 6);
});

test("a turn finds the full blocks of the prompt and of the answer before it, but for the answer's last token", () => {
  fc.assert(
    fc.property(lengths, lengths, (first, second) => {
      const unit = 16;
      const said = first.prompt + first.output;
      const shared = Math.floor((said - 1) / unit);
      const tokens = said + second.prompt;
      const own = Math.ceil(tokens / unit);
      const prefix = {
        blockTokens: unit,
        offsets: Uint32Array.from([0, shared, shared + own]),
        ids: Uint32Array.from([...Array(shared).keys(), ...Array(own).keys()]),
      };
      const rows = [first, { prompt: tokens, output: second.output }];
      const turns = turnsOf([
        [[], 0],
        [[0], 7],
      ]);
      const config = testConfig();
      const { requests } = simulate({
        ...config,
        scheduler: { ...config.scheduler, prefixCaching: true, blockTokens: unit },
        workload: { kind: "open", requests: { ...testRequests(rows, prefix), turns } },
      });
      expect([...requests.cachedTokens]).toEqual([0, shared * unit]);
    }),
    { numRuns: drawn(40) },
  );
});
