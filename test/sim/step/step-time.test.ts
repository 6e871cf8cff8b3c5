import { describe, expect, test } from "vitest";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import type { CollectiveOp } from "../../../src/hardware/op.ts";
import { expectedDistinct } from "../../../src/models/expected-experts.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import type { Mapping } from "../../../src/sim/mapping.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import {
  singleDevice,
  testConfig,
  testEngine,
  testNode,
  testOffload,
  testRequests,
  testRouting,
  tinyModel,
} from "../build.ts";

/**
 * Duration of steps worked out operation by operation, from the shapes of the tiny model: hidden 256, 8 query and 4 KV
 * heads of 32, a dense layer of width 512, then an MoE layer of 8 experts of width 128, top-2, with a shared expert of
 * width 64. 16-bit everywhere.
 */
const tiny = tinyModel();
const moe = tiny.layers[0]!.feedForward;
if (moe.kind !== "moe") throw new Error("not an MoE");
const { attention } = tiny.layers[0]!;
const model = tinyModel({
  layers: [
    { attention, feedForward: { kind: "dense", width: 512, matrices: 3 } },
    { attention, feedForward: { ...moe, sharedWidth: 64 } },
  ],
});
const node = testNode();
const cost = new CostModel(node.device, node);
const table = testRouting(1, 8, 2, 200);

/** What an engine makes of operations inside a step: of decodes, of prompts, of transfers between devices. */
const { collectiveFactor } = testEngine();
const gemm = (tokens: number, inputWidth: number, outputWidth: number) =>
  cost.opNs({ kind: "gemm", tokens, inputWidth, outputWidth, weightFormat: "bf16", math: "bf16" });
const collective = (kind: CollectiveOp["kind"], bytes: number, ranks: number) =>
  collectiveFactor * cost.opNs({ kind, bytes, ranks, ranksPerNode: 8 });

/** Token mixing of `tokens` new tokens: a prompt from its start, or the one token after `context` others. */
function mixing(tokens: number, context: number, tp: number): number {
  const cacheBytes = (4 / tp) * 64 * 2;
  const decode = context > 0;
  const keys = context + tokens;
  return (
    gemm(tokens, 256, (8 / tp) * 32 + 2 * (4 / tp) * 32) +
    gemm(tokens, (8 / tp) * 32, 256) +
    cost.opNs({
      kind: decode ? "attentionDecode" : "attentionPrefill",
      sequences: 1,
      queryTokens: tokens,
      scorePairs: decode ? keys : (tokens * (tokens + 1)) / 2,
      cacheTokens: keys,
      heads: 8 / tp,
      kvHeads: 4 / tp,
      latent: false,
      widthPerPair: 64,
      cacheBytesPerToken: cacheBytes,
      cacheFormat: "bf16",
      math: "bf16",
    }) +
    cost.opNs({ kind: "elementwise", bytes: tokens * (6 * 256 * 2 + cacheBytes) })
  );
}
const denseNs = (tokens: number, tp: number) => gemm(tokens, 256, (2 * 512) / tp) + gemm(tokens, 512 / tp, 256);
const sharedNs = (tokens: number, tp: number) => gemm(tokens, 256, (2 * 64) / tp) + gemm(tokens, 64 / tp, 256);
const routerNs = (tokens: number) => gemm(tokens, 256, 8);

/** Routed experts [first, first + 4 or 8) on the rows [from, to) that every request reads from the start of the trace. */
function work(chunks: readonly (readonly [from: number, to: number])[], owns: (expert: number) => boolean) {
  const met = new Set<number>();
  let pairs = 0;
  for (const [from, to] of chunks)
    for (let i = from * 2; i < to * 2; i++)
      if (owns(table.ids[i]!)) {
        met.add(table.ids[i]!);
        pairs++;
      }
  return { pairs, distinct: met.size };
}
const expertsNs = ({ pairs, distinct }: { pairs: number; distinct: number }, etp: number) =>
  cost.opNs({
    kind: "groupedGemm",
    pairs,
    distinctExperts: distinct,
    presentedPairs: 0,
    parametersPerExpert: (3 * 256 * 128) / etp,
    shardWidth: 1,
    valuesPerPair: 2 * 256 + (3 * 128) / etp,
    weightFormat: "bf16",
    math: "bf16",
  });

/** Mean number of expert ranks of `size` experts each, in order, that a row's two experts lie in. */
function ranksTouched(size: number): number {
  let touched = 0;
  for (let row = 0; row < table.rows; row++)
    touched += Math.floor(table.ids[2 * row]! / size) === Math.floor(table.ids[2 * row + 1]! / size) ? 1 : 2;
  return touched / table.rows;
}
const spread = ranksTouched(4);

/** The same over that of two experts picked evenly: one is on the rank of the other with probability (size - 1) / 7. */
const routedScale = (size: number) => ranksTouched(size) / (2 - (size - 1) / 7);

const overhead = 10 * 1000;
const host = 100_000 + 1000;
const all = () => true;

const run = (
  mapping: Partial<Mapping>,
  prompts: readonly number[],
  output = 1,
  engine: Parameters<typeof testEngine>[0] = {},
) =>
  simulate(
    testConfig({
      model,
      node,
      engine: testEngine(engine),
      mapping: { ...singleDevice, ...mapping },
      workload: { kind: "open", requests: testRequests(prompts.map((prompt) => ({ prompt, output }))) },
      routing: { kind: "replay", table, layerMap: [0], start: "zero" },
    }),
  );
const within1Ns = (found: number | undefined, expected: number) =>
  expect(Math.abs((found ?? Number.NaN) - expected)).toBeLessThanOrEqual(1);

describe("a step takes the sum of its operations", () => {
  test("one device: prefill, then decode", () => {
    const { requests } = run({}, [70], 2);
    const kernels = (tokens: number, context: number) =>
      2 * mixing(tokens, context, 1) +
      denseNs(tokens, 1) +
      routerNs(tokens) +
      sharedNs(tokens, 1) +
      expertsNs(work([[context, context + tokens]], all), 1) +
      gemm(1, 256, 1024);
    within1Ns(requests.firstTokenNs[0], 2 * overhead + kernels(70, 0) + host);
    within1Ns(requests.lastTokenNs[0]! - requests.firstTokenNs[0]!, 2 * overhead + kernels(1, 70) + host);
  });

  test.each([0, 0.3, 0.9])(
    "uniform routing touches the experts expected of popularities with a variation of %f",
    (cv) => {
      const requests = testRequests([{ prompt: 3, output: 1 }]);
      const config = { model, node, workload: { kind: "open" as const, requests } };
      const { time } = simulate(testConfig({ ...config, routing: { kind: "uniform", popularityCv: cv } }));
      const routed = expertsNs({ pairs: 6, distinct: expectedDistinct(8, 2, 3, cv) }, 1);
      expect(time.experts).toBeCloseTo(routerNs(3) + routed, 6);
    },
  );

  test("experts in a cache cost what experts on the device do, once they are there", () => {
    const requests = testRequests([1, 2].map(() => ({ prompt: 70, output: 1 })));
    const { requests: rows } = simulate(
      testConfig({
        model,
        node,
        workload: { kind: "closed", concurrency: 1, requests },
        routing: { kind: "replay", table, layerMap: [0], start: "zero" },
        offload: testOffload(),
      }),
    );
    const plain = run({}, [70]).requests;
    expect(rows.firstTokenNs[1]! - rows.arrivalNs[1]!).toBe(plain.firstTokenNs[0]);
    expect(rows.firstTokenNs[0]!).toBeGreaterThan(plain.firstTokenNs[0]! + 8 * 5000);
  });

  test("the head runs on sequences that emit a token, not on those in the middle of their prompt", () => {
    expect(run({}, [1200]).time.head).toBeCloseTo(gemm(1, 256, 1024), 6);
    expect(run({}, [40, 50], 3).time.head).toBeCloseTo(3 * gemm(2, 256, 1024), 6);
  });

  test("tensor parallelism of 2 for attention and experts: an all-reduce after each part", () => {
    const { requests } = run({ tp: 2, etp: 2 }, [70]);
    within1Ns(
      requests.firstTokenNs[0],
      2 * overhead +
        (2 * mixing(70, 0, 2) +
          denseNs(70, 2) +
          routerNs(70) +
          sharedNs(70, 2) +
          expertsNs(work([[0, 70]], all), 2) +
          gemm(1, 256, 512)) +
        4 * collective("allReduce", 70 * 256 * 2, 2) +
        host,
    );
  });

  test("data parallelism of 2 with expert parallelism of 2: the longer prompt, the busier exchange, the slower expert rank", () => {
    const { requests, time } = run({ dp: 2, ep: 2 }, [120, 30]);
    const chunks = [
      [0, 120],
      [0, 30],
    ] as const;
    const expertRanks = [work(chunks, (e) => e < 4), work(chunks, (e) => e >= 4)];
    const arrive = (tokens: number) =>
      2 * overhead + (2 * mixing(tokens, 0, 1) + denseNs(tokens, 1) + routerNs(tokens));
    // A rank holds half of all ranks' copies of what it sends or receives.
    const rows = Math.max(120 * spread, ...expertRanks.map(({ pairs }) => (pairs / 2) * spread)) / 2;
    const exchange = collective("allToAll", rows * 256 * 2, 2);
    const slowest = Math.max(...expertRanks.map((rank) => expertsNs(rank, 1)));
    within1Ns(
      requests.firstTokenNs[0],
      arrive(120) + 2 * exchange + (sharedNs(120, 1) + slowest + gemm(1, 256, 1024)) + host,
    );
    expect(requests.firstTokenNs[1]).toBe(requests.firstTokenNs[0]);
    // Waiting: half the difference of the data-parallel ranks, and the slower expert rank less the mean of both.
    const mean = (expertsNs(expertRanks[0]!, 1) + expertsNs(expertRanks[1]!, 1)) / 2;
    expect(time.promptWait).toBeCloseTo((arrive(120) - arrive(30)) / 2, 6);
    expect(time.attentionWait).toBe(0);
    expect(time.expertWait).toBeCloseTo(slowest - mean, 6);
    expect(time.dispatch).toBeCloseTo(exchange, 6);
  });

  test("with even data-parallel ranks the expert rank that is chosen most decides the exchange", () => {
    const { time } = run({ dp: 2, ep: 2 }, [100, 100]);
    const busier = work([[0, 100]], (e) => e < 4).pairs * 2;
    expect(busier).toBeGreaterThan(200);
    expect(time.dispatch).toBeCloseTo(collective("allToAll", (busier / 2) * spread * 0.5 * 256 * 2, 2), 6);
  });

  test("both kinds at once: copies for every device of an expert rank, gathered over tp after the combine", () => {
    const { requests } = run({ tp: 2, dp: 2, ep: 2, etp: 2 }, [120, 30]);
    const chunks = [
      [0, 120],
      [0, 30],
    ] as const;
    const expertRanks = [work(chunks, (e) => e < 4), work(chunks, (e) => e >= 4)];
    const reduce = collective("allReduce", 120 * 256 * 2, 2);
    // Four ranks: three quarters of the copies go to another rank.
    const rows = 0.75 * Math.max((120 / 2) * spread * 2, ...expertRanks.map(({ pairs }) => (pairs / 2) * spread));
    const exchange = collective("allToAll", rows * 256 * 2, 4);
    within1Ns(
      requests.firstTokenNs[0],
      2 * overhead +
        (2 * mixing(120, 0, 2) +
          denseNs(120, 2) +
          routerNs(120) +
          sharedNs(120, 2) +
          Math.max(...expertRanks.map((rank) => expertsNs(rank, 2))) +
          gemm(1, 256, 512)) +
        // After attention and the dense layer; and the partial sums of the shared experts meet inside the data-parallel rank.
        4 * reduce +
        2 * exchange +
        collective("allGather", 75 * 256 * 2, 2) +
        host,
    );
  });

  test("data parallelism over expert tensor parallelism alone still moves every token to every rank", () => {
    const { time } = run({ dp: 2, etp: 2 }, [120, 30]);
    // One expert rank of two devices: a device sends each of its 120 tokens to the other one, and gets fewer.
    expect(time.dispatch).toBeCloseTo(collective("allToAll", 120 * 256 * 2, 2), 6);
  });

  test("gathered tokens are scattered to all ranks and come together again over tp", () => {
    const { time } = run({ tp: 2, dp: 2, ep: 2, etp: 2 }, [120, 30], 1, { expertExchange: "allGatherReduceScatter" });
    expect(time.combine).toBeCloseTo(
      collective("reduceScatter", 2 * 120 * 256 * 2, 4) + collective("allGather", 75 * 256 * 2, 2),
      6,
    );
  });

  test("engines that gather all tokens on every rank wait for the largest share to cross", () => {
    const gathering = { expertExchange: "allGatherReduceScatter" } as const;
    const uneven = run({ dp: 2, ep: 2 }, [120, 30], 1, gathering).time;
    // The rank of 30 tokens receives 120: as long as a gather of 120 from each.
    expect(uneven.dispatch).toBeCloseTo(collective("allGather", 2 * 120 * 256 * 2, 2), 6);
    expect(uneven.combine).toBeCloseTo(collective("reduceScatter", 2 * 120 * 256 * 2, 2), 6);
    const even = run({ dp: 2, ep: 2 }, [75, 75], 1, gathering).time;
    expect(even.dispatch).toBeCloseTo(collective("allGather", 150 * 256 * 2, 2), 6);
  });

  test("an expert-exchange library sends the tokens of the fullest rank: in its normal mode beside prompts, else by pairs", () => {
    const deepep = { expertExchange: "deepep" } as const;
    const exchange = (kind: "dispatch" | "combine", mode: "normal" | "lowLatency", tokens: number, ranks: number) =>
      collectiveFactor *
      cost.opNs({
        kind,
        library: "deepep",
        mode,
        tokens,
        hidden: 256,
        topK: 2,
        experts: 8,
        ranks,
        ranksPerNode: 8,
        bytesPerValue: 2,
        nearScale: mode === "normal" ? routedScale(8 / ranks) : 1,
      });
    const prompts = run({ dp: 2, ep: 2 }, [120, 30], 1, deepep).time;
    expect(prompts.dispatch).toBeCloseTo(exchange("dispatch", "normal", 120, 2), 6);
    expect(prompts.combine).toBeCloseTo(exchange("combine", "normal", 120, 2), 6);
    const decoded = run({ dp: 2, ep: 2 }, [120, 30], 2, deepep).time;
    expect(decoded.dispatch - prompts.dispatch).toBeCloseTo(exchange("dispatch", "lowLatency", 1, 2), 6);
    const split = run({ tp: 2, dp: 2, ep: 4 }, [121, 30], 1, deepep).time;
    expect(split.dispatch).toBeCloseTo(exchange("dispatch", "normal", 61, 4), 6);
  });

  test("broadcasts of each rank follow one another in 16 bits, and an all-reduce over all ranks combines", () => {
    const { time } = run({ dp: 2, ep: 2 }, [120, 30], 1, { expertExchange: "broadcastAllReduce" });
    const broadcast = (tokens: number) => collective("allGather", 2 * tokens * 256 * 2, 2);
    expect(time.dispatch).toBeCloseTo(broadcast(120) + broadcast(30), 6);
    expect(time.combine).toBeCloseTo(collective("allReduce", 150 * 256 * 2, 2), 6);
  });

  test("each mode of a library can be had throughout, and a low-latency dispatch takes so many tokens at once", () => {
    const exchange = (mode: "normal" | "lowLatency", library: "deepep" | "nvlink", tokens: number) =>
      collectiveFactor *
      cost.opNs({
        kind: "dispatch",
        library,
        mode,
        tokens,
        hidden: 256,
        topK: 2,
        experts: 8,
        ranks: 2,
        ranksPerNode: 8,
        bytesPerValue: 2,
        nearScale: mode === "normal" && library === "deepep" ? routedScale(4) : 1,
      });
    const ns = (expertExchange: EngineProfile["expertExchange"], output: number, dispatchTokensMax?: number) =>
      run({ dp: 2, ep: 2 }, [120, 30], output, {
        expertExchange,
        ...(dispatchTokensMax === undefined ? {} : { dispatchTokensMax }),
      }).time.dispatch;
    expect(ns("deepepNormal", 2)).toBeCloseTo(exchange("normal", "deepep", 120) + exchange("normal", "deepep", 1), 6);
    expect(ns("nvlink", 2)).toBeCloseTo(exchange("normal", "nvlink", 120) + exchange("normal", "nvlink", 1), 6);
    expect(ns("deepepLowLatency", 1)).toBeCloseTo(exchange("lowLatency", "deepep", 120), 6);
    expect(ns("deepepLowLatency", 1, 50)).toBeCloseTo(3 * exchange("lowLatency", "deepep", 40), 6);
  });

  test("two pipeline stages: each rounded, a hand-off between them, host time at the end", () => {
    const { requests, time } = run({ pp: 2 }, [70]);
    const first = overhead + (mixing(70, 0, 1) + denseNs(70, 1));
    const second =
      overhead +
      (mixing(70, 0, 1) + routerNs(70) + sharedNs(70, 1) + expertsNs(work([[0, 70]], all), 1) + gemm(1, 256, 1024)) +
      host;
    const handoff = cost.opNs({ kind: "copy", link: "scaleUp", bytes: 70 * 256 * 2 });
    expect(requests.firstTokenNs[0]).toBe(Math.round(first) + Math.round(handoff) + Math.round(second));
    expect(time.pipeline).toBeCloseTo(handoff, 6);
  });
});

describe("overlap", () => {
  test("shared experts beside the dispatch cost only what outlasts it", () => {
    const apart = run({ dp: 2, ep: 2 }, [120, 30]);
    const beside = run({ dp: 2, ep: 2 }, [120, 30], 1, { overlapsSharedExperts: true });
    const shared = sharedNs(120, 1);
    const outlasts = Math.max(0, shared - apart.time.dispatch);
    expect(beside.time.sharedExperts).toBeCloseTo(outlasts, 6);
    within1Ns(apart.endNs - beside.endNs, shared - outlasts);
  });
});

describe("ranks that wait for another", () => {
  /** Kernels take the same time whatever is beside them. */
  const even = { kernelExcess: 1, prefillExcess: 1 };

  /** Waits of a run less those of its first step, in which both ranks compute their prompts. */
  const waitsAfterPrompts = (prompts: readonly number[], output: number) => {
    const [whole, first] = [output, 1].map((tokens) => run({ dp: 2, ep: 2 }, prompts, tokens, even).time);
    const of = (key: "promptWait" | "attentionWait") => whole![key] - first![key];
    return { prompt: of("promptWait"), attention: of("attentionWait") };
  };

  test("for its longer context wait for attention, half the difference of both", () => {
    const steps = [0, 1, 2].map((i) => 2 * (mixing(1, 450 + i, 1) - mixing(1, 100 + i, 1)));
    const { prompt, attention } = waitsAfterPrompts([450, 100], 4);
    expect(prompt).toBeCloseTo(0, 6);
    expect(attention).toBeGreaterThan(0);
    expect(attention).toBeCloseTo(steps.reduce((sum, ns) => sum + ns, 0) / 2, 6);
  });

  test("for its prompt wait for the prompt, but for what contexts would have made them wait", () => {
    // Rank 1 decodes; rank 0, free again, is given a prompt beside it.
    const { time } = simulate(
      testConfig({
        model,
        node,
        engine: testEngine(even),
        mapping: { ...singleDevice, dp: 2, ep: 2 },
        scheduler: { ...testConfig().scheduler, maxBatchTokens: 4096 },
        workload: {
          kind: "closed",
          concurrency: 2,
          requests: testRequests([
            { prompt: 30, output: 1 },
            { prompt: 60, output: 3 },
            { prompt: 4000, output: 1 },
          ]),
        },
        routing: { kind: "replay", table, layerMap: [0], start: "zero" },
      }),
    );
    const arrive = (tokens: number, context: number) =>
      2 * mixing(tokens, context, 1) + denseNs(tokens, 1) + routerNs(tokens);
    const half = (a: number, b: number) => Math.abs(a - b) / 2;
    // First both prompts, then a decode beside the second prompt, then a decode beside an idle rank.
    const context = half(2 * mixing(1, 60, 1), 0);
    const idle = half(arrive(1, 61), 0);
    expect(time.promptWait).toBeCloseTo(
      half(arrive(60, 0), arrive(30, 0)) + half(arrive(4000, 0), arrive(1, 60)) - context,
      6,
    );
    expect(time.attentionWait).toBeCloseTo(context + idle, 6);
  });

  test("are booked alike where one layer stands for all like it", () => {
    const requests = testRequests([
      { prompt: 900, output: 3 },
      { prompt: 30, output: 2 },
      { prompt: 400, output: 2 },
    ]);
    const dense = { attention, feedForward: { kind: "dense", width: 512, matrices: 3 } } as const;
    const uniform = { kind: "uniform", popularityCv: 0.5 } as const;
    const waits = (moeLayers: number, denseLayers: number, routing: SimConfig["routing"] = uniform) => {
      const { layers } = tinyModel({}, moeLayers);
      const { time } = simulate(
        testConfig({
          model: tinyModel({ layers: [...Array.from({ length: denseLayers }, () => dense), ...layers] }),
          mapping: { ...singleDevice, dp: 2, ep: 2 },
          workload: { kind: "closed", concurrency: 2, requests },
          routing,
        }),
      );
      return [time.promptWait, time.attentionWait, time.expertWait];
    };
    for (const ns of waits(1, 0)) expect(ns).toBeGreaterThan(0);
    for (const [i, ns] of waits(3, 0).entries()) expect(ns).toBeCloseTo(3 * waits(1, 0)[i]!, 3);
    // Layer by layer, as replayed routing is timed.
    const each = waits(1, 3, { kind: "replay", table, layerMap: [0], start: "zero" });
    for (const [i, ns] of waits(1, 3).slice(0, 2).entries()) expect(ns).toBeCloseTo(each[i]!, 3);
  });
});
