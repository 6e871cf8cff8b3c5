import fc from "fast-check";
import { expect, test } from "vitest";
import type { SimConfig } from "../../src/sim/config.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import { testConfig, testEngine, testNode, testRequests, testRouting, tinyModel } from "./build.ts";
import { referenceSchedule } from "./reference-scheduler.ts";

const stepNs = 1_000_000;
const instant = { peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30 };

/** Steps of constant length, and exactly `blocks` KV blocks. */
function constantStep(scheduler: SimConfig["scheduler"], mixes: boolean, blocks: number): SimConfig {
  const config = testConfig({
    model: tinyModel({}, 1),
    routing: { kind: "replay", table: testRouting(1), layerMap: [0], start: "zero" },
    engine: testEngine({
      stepOverheadNs: stepNs,
      sequenceOverheadNs: 0,
      kernelOverheadNs: 0,
      mixesPrefillWithDecode: mixes,
    }),
    scheduler: { ...scheduler, memoryUtilisation: 1 },
    node: testNode({ ...instant, memoryBytes: 1e12 }),
  });
  const { map } = new Simulation(config).memory;
  const kv = map.tiers[0]!.items.find((item) => item.name.startsWith("KV"))!.bytes;
  const memoryBytes = map.tiers[0]!.usedBytes - kv + (kv / map.kvBlocks) * blocks;
  return { ...config, node: testNode({ ...instant, memoryBytes }) };
}

function finish(config: SimConfig) {
  const simulation = new Simulation(config);
  while (!simulation.advance(1000));
  return simulation.result();
}

test("tokens appear when a naive scheduler written from the definition says, whatever the limits", () => {
  let preemptions = 0;
  fc.assert(
    fc.property(
      fc.record({
        requests: fc.array(
          fc.record({
            gap: fc.oneof(fc.constant(0), fc.nat(3 * stepNs)),
            prompt: fc.integer({ min: 1, max: 120 }),
            output: fc.integer({ min: 1, max: 40 }),
          }),
          { minLength: 1, maxLength: 25 },
        ),
        blocks: fc.integer({ min: 11, max: 60 }),
        blockTokens: fc.constantFrom(1, 7, 16),
        maxBatchTokens: fc.integer({ min: 1, max: 150 }),
        maxSequences: fc.integer({ min: 1, max: 12 }),
        chunked: fc.boolean(),
        mixes: fc.boolean(),
      }),
      ({ requests, blocks, blockTokens, maxBatchTokens, maxSequences, chunked, mixes }) => {
        let at = 0;
        const rows = requests.map(({ gap, prompt, output }) => {
          at += gap;
          // No request may need more than all blocks.
          const room = blocks * blockTokens;
          const length = Math.min(prompt, room);
          return { at, prompt: length, output: Math.min(output, room - length + 1) };
        });
        const scheduler = {
          maxBatchTokens,
          maxSequences,
          chunkedPrefill: chunked,
          prefixCaching: false,
          blockTokens,
          memoryUtilisation: 1,
          contextTokensMax: 4096,
        };
        const config = constantStep(scheduler, mixes, blocks);
        const result = finish({ ...config, workload: { kind: "open", requests: testRequests(rows) } });
        expect(result.memory.kvBlocks).toBe(blocks);
        const expected = referenceSchedule(rows, {
          stepNs,
          blocks,
          blockTokens,
          maxBatchTokens,
          maxSequences,
          chunked,
          mixes,
        });
        expect([...result.requests.firstTokenNs]).toEqual(expected.first);
        expect([...result.requests.lastTokenNs]).toEqual(expected.last);
        expect([...result.requests.preemptions]).toEqual(expected.preempted);
        expect(result.steps).toBe(expected.steps);
        expect(result.kv.peakBlocks).toBeLessThanOrEqual(blocks);
        preemptions += result.kv.preemptions;
      },
    ),
    { numRuns: 400, seed: 11 },
  );
  expect(preemptions).toBeGreaterThan(100);
});
