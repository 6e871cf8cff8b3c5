import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CostModel } from "../../../src/hardware/cost.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import { ExpertTime } from "../../../src/sim/step/expert-time.ts";
import { feedForwardProgram } from "../../../src/sim/step/feed-forward-program.ts";
import { LinkTime } from "../../../src/sim/step/link-time.ts";
import { RecentTimes } from "../../../src/sim/step/recent-times.ts";
import { ServedKernels } from "../../../src/sim/step/served-kernels.ts";
import { drawn } from "../../drawn.ts";
import { testConfig } from "../build.ts";

const node = nodeNamed("h100-sxm-8");
const cost = new CostModel(node.device, node, "vllm");
const model = modelNamed("qwen3-30b-a3b");

/** Few values, so that the same ones come again. */
const settings = fc.record({
  excessFactor: fc.constantFrom(1, 1, 1.25),
  hiddenShare: fc.constantFrom(0.5, 0.5, 0),
  productShare: fc.constantFrom(1, 1, 0.85),
});

describe("times that are remembered", () => {
  const program = () => {
    const made = feedForwardProgram(model.layers[0]!.feedForward, testConfig({ model, node }));
    if (made.kind !== "moe") throw new Error("a layer without experts");
    return made;
  };
  const ranks = 4;
  const layerCall = fc.record({
    settings,
    program: fc.constantFrom(program(), program()),
    presentedPairs: fc.constantFrom(0, 320, 328, 65_536),
    halves: fc.boolean(),
    sent: fc.constantFrom(undefined, "masked" as const),
    prompts: fc.constantFrom(false, false, true),
    work: fc.array(
      fc.record({
        pairs: fc.integer({ min: 0, max: 90 }),
        distinct: fc.integer({ min: 1, max: 32 }),
        alone: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  });

  test("of experts are those of a kernel that is timed each time", () => {
    fc.assert(
      fc.property(fc.array(layerCall, { minLength: 1, maxLength: 40 }), (calls) => {
        const served = new ServedKernels(cost);
        const experts = new ExpertTime(served, ranks);
        const naive = new ServedKernels(cost);
        // Another step under way, whose pages are the same.
        const neighbour = new ExpertTime(new ServedKernels(cost), ranks);
        for (const { settings, program, presentedPairs, halves, sent, prompts, work } of [
          ...calls,
          ...calls,
          ...calls,
        ]) {
          Object.assign(served, settings);
          Object.assign(naive, settings);
          experts.begin(program, presentedPairs, halves, sent, prompts);
          for (const { pairs, distinct, alone } of work) {
            neighbour.begin(program, presentedPairs + 127, halves, sent, prompts);
            neighbour.togetherNs(pairs, distinct);
            const share = 1 - (alone ? 1 : distinct) / (program.moe.experts / ranks);
            const expected = naive.opNs({
              ...program.experts,
              pairs: halves ? pairs / 2 : pairs,
              distinctExperts: halves ? (program.moe.experts / ranks) * (1 - Math.sqrt(share)) : alone ? 1 : distinct,
              presentedPairs: alone ? 0 : halves ? presentedPairs / 2 : presentedPairs,
              sent: alone ? undefined : sent,
            });
            expect(alone ? experts.aloneNs(pairs) : experts.togetherNs(pairs, distinct)).toBe(
              halves ? 2 * expected : expected,
            );
          }
        }
      }),
      { numRuns: drawn(40) },
    );
  });

  test("of dense products are those of a kernel that is timed each time", () => {
    const ops = [512, 513, 4096].map((outputWidth) => ({
      kind: "gemm" as const,
      tokens: 0,
      inputWidth: 2048,
      outputWidth,
      weightFormat: "bf16" as const,
      math: "bf16" as const,
    }));
    const asked = fc.record({
      op: fc.constantFrom(...ops),
      tokens: fc.constantFrom(0, 1, 2, 7.5, 65, 66, 129),
      settings,
    });
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 60 }), (calls) => {
        const served = new ServedKernels(cost);
        const naive = new ServedKernels(cost);
        for (const { op, tokens, settings } of calls) {
          Object.assign(served, settings);
          Object.assign(naive, settings);
          expect(served.gemmNs(op, tokens)).toBe(tokens === 0 ? 0 : naive.opNs({ ...op, tokens }));
        }
      }),
      { numRuns: drawn(40) },
    );
  });

  test("of collectives are those of a collective that is timed each time", () => {
    const asked = fc.record({
      kind: fc.constantFrom("allReduce" as const, "allGather" as const, "reduceScatter" as const, "allToAll" as const),
      bytes: fc.constantFrom(0, 8, 4096, 4104, 69_632, 131_072.5),
      ranks: fc.constantFrom(1, 2, 4, 8),
    });
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 60 }), (calls) => {
        const links = new LinkTime(cost, 1.5);
        for (const { kind, bytes, ranks } of calls)
          expect(links.collectiveNs(kind, bytes, ranks)).toBe(
            1.5 * cost.opNs({ kind, bytes, ranks, ranksPerNode: node.devicesPerNode }),
          );
      }),
      { numRuns: drawn(40) },
    );
  });

  test("are kept per condition and pair of counts, and dropped when another takes their page", () => {
    const recent = new RecentTimes();
    const at = (presented: number, hidden = 0) => recent.page(Float64Array.of(presented, 0, 1, hidden, 1));
    at(320).put(64, 30, 1234);
    // The next hundred batches have pages of their own.
    for (let presented = 328; presented < 320 + 8 * 100; presented += 8) at(presented).put(64, 30, presented);
    expect(at(320).get(64, 30)).toBe(1234);
    expect(at(320).get(64, 31)).toBeNaN();
    expect(at(320, 0.5).get(64, 30)).toBeNaN();
    expect(at(320).get(64, 30)).toBeNaN();
  });
});
