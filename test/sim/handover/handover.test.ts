import { expect, test } from "vitest";
import { routers } from "../../../src/policy/router/routers.ts";
import type { HandoverConfig, PoolConfig, SimConfig } from "../../../src/sim/config.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests } from "../build.ts";

const second = 1e9;
/** Requests so far apart that none meets another. */
const lone = testRequests(
  [
    { prompt: 100, output: 10 },
    { prompt: 700, output: 2 },
    { prompt: 1, output: 30 },
    { prompt: 513, output: 1 },
  ].map((row, i) => ({ ...row, at: i * second })),
);
const freeLink = { name: "free", bytesPerSecond: 1e30, latencyNs: 0, efficiency: 1 };
const handover: HandoverConfig = {
  reserves: "afterPrefill",
  transfer: "request",
  firstToken: "prefill",
  reservedOutputTokens: 0,
  tokenisesAgain: false,
  localPromptTokens: 0,
  router: routers["round-robin"],
};

/** The same deployment twice: one pool prefills, the other decodes. */
function apart(config: SimConfig, how: Partial<HandoverConfig> = {}, decode: Partial<PoolConfig> = {}): SimConfig {
  const { seed: _seed, workload: _workload, warmupRequests: _warmup, ...pool } = config;
  return {
    ...config,
    name: "prefill",
    role: "prefill",
    otherPools: [{ ...pool, name: "decode", role: "decode", ...decode }],
    handover: { ...handover, ...how },
  };
}

const linked = (link: typeof freeLink) => testNode({ scaleUp: link, scaleOut: link });
const open = (requests: ReturnType<typeof testRequests>): SimConfig["workload"] => ({ kind: "open", requests });
const base = testConfig({ workload: open(lone), node: linked(freeLink) });
const times = ({ requests: { scheduledNs, firstTokenNs, lastTokenNs } }: RunResult) => ({
  scheduledNs,
  firstTokenNs,
  lastTokenNs,
});

test.each(["request", "chunk", "layers"] as const)(
  "with a free link and no interference, pools are one: %s",
  (sends) => {
    for (const reserves of ["beforePrefill", "afterPrefill"] as const)
      for (const firstToken of ["prefill", "handover"] as const)
        expect(times(simulate(apart(base, { transfer: sends, reserves, firstToken })))).toEqual(times(simulate(base)));
  },
);

test("a decode pool that computes the last prompt token again is later by that step", () => {
  const together = simulate(base).requests;
  const { requests, handover: rows, promptTokensComputed } = simulate(apart(base, { firstToken: "decodeStep" }));
  // Every prompt, and the last token of each once more.
  expect(promptTokensComputed).toBe(100 + 700 + 1 + 513 + 4);
  for (let i = 0; i < requests.count; i++) {
    expect(rows!.arrivedNs[i]).toBe(together.firstTokenNs[i]);
    expect(requests.firstTokenNs[i]).toBeGreaterThan(together.firstTokenNs[i]!);
    // As many steps follow as output tokens: one more than where the prompt brings the first.
    expect(rows!.decodedNs[i]).toBe(rows!.arrivedNs[i]);
  }
});

test("a prompt that the decode pool computes itself, token by token, takes what it takes in one pool", () => {
  // A step that computes prompts costs more, so the one work is never taken for the other unseen.
  const engine = testEngine({ prefillStepOverheadNs: 50_000 });
  const bySingles = { ...base, engine, scheduler: { ...base.scheduler, maxBatchTokens: 1 } };
  for (const firstToken of ["prefill", "decodeStep"] as const)
    expect(times(simulate(apart(bySingles, { firstToken, localPromptTokens: 1000 })))).toEqual(
      times(simulate(bySingles)),
    );
});

test("a prompt sent whole takes its bytes over the rate of the link, and its latency", () => {
  const link = { name: "slow", bytesPerSecond: 1e7, latencyNs: 5000, efficiency: 0.8 };
  const config = { ...base, node: linked(link) };
  const { handover: rows, requests, pools } = simulate(apart(config));
  const perToken = pools[0]!.memory.kvBytesPerToken;
  let tokens = 0;
  for (let i = 0; i < 3; i++) {
    const ns = (requests.promptTokens[i]! * perToken * 1e9) / 8e6 + 5000;
    expect(rows!.arrivedNs[i]! - rows!.computedNs[i]!).toBeCloseTo(ns, -1);
    tokens += requests.promptTokens[i]!;
  }
  expect(rows!.bytes).toBe(tokens * perToken);
  // One token needs no second pool.
  expect(rows!.arrivedNs[3]).toBeNaN();
});

test("what is sent earlier arrives no later: by layers, by chunks, as a whole", () => {
  const link = { name: "slow", bytesPerSecond: 1e9, latencyNs: 5000, efficiency: 1 };
  const config = { ...base, node: linked(link) };
  const arrived = (sends: HandoverConfig["transfer"]) =>
    simulate(apart(config, { transfer: sends, reserves: "beforePrefill" })).handover!.arrivedNs;
  const [whole, chunks, layers] = [arrived("request"), arrived("chunk"), arrived("layers")];
  for (let i = 0; i < 3; i++) {
    expect(chunks[i]).toBeLessThanOrEqual(whole[i]!);
    expect(layers[i]).toBeLessThanOrEqual(chunks[i]!);
  }
  // Longer than a chunk of 512 tokens, and longer than one layer.
  expect(chunks[1]).toBeLessThan(whole[1]!);
  expect(layers[1]).toBeLessThan(chunks[1]!);
});

test("a decode pool without room makes the prefill wait, and loses nothing", () => {
  const rows = Array.from({ length: 40 }, () => ({ prompt: 160, output: 20 }));
  const config = { ...base, workload: open(testRequests(rows)) };
  const scheduler = { ...config.scheduler, maxSequences: 2 };
  for (const reserves of ["beforePrefill", "afterPrefill"] as const) {
    const { requests, handover: between, outputTokens } = simulate(apart(config, { reserves }, { scheduler }));
    expect(outputTokens).toBe(800);
    let waits = 0;
    for (let i = 0; i < requests.count; i++) waits += Number(between!.reservedNs[i]! > between!.askedNs[i]!);
    expect(waits).toBeGreaterThan(30);
    for (let i = 0; i < requests.count; i++)
      if (reserves === "beforePrefill") expect(requests.scheduledNs[i]).toBeGreaterThanOrEqual(between!.reservedNs[i]!);
  }
});

test("room kept for outputs is given back with them", () => {
  const small = Array.from({ length: 40 }, (_, i) => ({ at: i * second, prompt: 16, output: 100 }));
  const pair = [0, 1].map(() => ({ at: 40 * second, prompt: 800, output: 400 }));
  const config = { ...base, workload: open(testRequests([...small, ...pair])) };
  const { memory } = simulate(config);
  const kv = memory.tiers[0]!.items.find(({ name }) => name.startsWith("KV"))!.bytes;
  // For the whole of both, block by block, and hardly more.
  const bytes = 2 * 1216 * memory.kvBytesPerToken;
  const memoryBytes = (memory.tiers[0]!.usedBytes - kv + bytes) / 0.9 + 1000;
  const node = { ...linked(freeLink), device: { ...linked(freeLink).device, memoryBytes } };
  const third = { at: 40 * second, prompt: 16, output: 400 };
  const crowded = { ...config, workload: open(testRequests([...small, ...pair, third])) };
  const { handover: rows, pools } = simulate(apart(crowded, { reservedOutputTokens: "all" }, { node }));
  const between = rows!;
  const decode = pools[1]!;
  for (let i = 0; i < 42; i++) expect(between.reservedNs[i]).toBe(between.askedNs[i]);
  expect(decode.kv.preemptions).toBe(0);
  // The third one waits until one of the pair is through.
  expect(between.reservedNs[42]).toBeGreaterThan(between.askedNs[42]!);
});

test("with room for whole outputs, block by block, nothing is preempted", () => {
  // Prompts that fill their blocks, each with a token of a further one to come.
  const rows = Array.from({ length: 16 }, () => ({ prompt: 16, output: 3 }));
  const config = { ...base, workload: open(testRequests(rows)) };
  const { memory } = simulate(config);
  const kv = memory.tiers[0]!.items.find(({ name }) => name.startsWith("KV"))!.bytes;
  const preempted = (reservedOutputTokens: "all" | 0) => {
    const blocks = 20 * 16 * memory.kvBytesPerToken;
    const memoryBytes = (memory.tiers[0]!.usedBytes - kv + blocks) / 0.9 + 1000;
    const node = { ...linked(freeLink), device: { ...linked(freeLink).device, memoryBytes } };
    const { pools, outputTokens } = simulate(apart(config, { reservedOutputTokens }, { node }));
    expect(outputTokens).toBe(48);
    expect(pools[1]!.kv.blocks).toBe(20);
    return pools[1]!.kv.preemptions;
  };
  expect(preempted("all")).toBe(0);
  expect(preempted(0)).toBeGreaterThan(0);
});

test("what a decode pool computes anew after a preemption is the work of a prompt, unlike the token that came without", () => {
  const rows = Array.from({ length: 16 }, () => ({ prompt: 16, output: 3 }));
  const config = { ...base, workload: open(testRequests(rows)) };
  const { memory } = simulate(config);
  const kv = memory.tiers[0]!.items.find(({ name }) => name.startsWith("KV"))!.bytes;
  const engine = testEngine({ prefillStepOverheadNs: second });
  const last = (blocks: number) => {
    const bytes = blocks * 16 * memory.kvBytesPerToken;
    const memoryBytes = (memory.tiers[0]!.usedBytes - kv + bytes) / 0.9 + 1000;
    const node = { ...linked(freeLink), device: { ...linked(freeLink).device, memoryBytes } };
    const { pools, endNs } = simulate(apart(config, { firstToken: "decodeStep" }, { node, engine }));
    return { preemptions: pools[1]!.kv.preemptions, endNs };
  };
  const [roomy, crowded] = [last(200), last(20)];
  expect(roomy.preemptions).toBe(0);
  expect(roomy.endNs).toBeLessThan(second);
  expect(crowded.preemptions).toBeGreaterThan(0);
  expect(crowded.endNs).toBeGreaterThan(second);
});

test("so many tokens are kept free for each request taken on, and for the next", () => {
  const rows = Array.from({ length: 30 }, () => ({ prompt: 16, output: 2 }));
  const config = { ...base, workload: open(testRequests(rows)) };
  const { memory } = simulate(config);
  const kv = memory.tiers[0]!.items.find(({ name }) => name.startsWith("KV"))!.bytes;
  const memoryBytes = (memory.tiers[0]!.usedBytes - kv + 19 * 16 * memory.kvBytesPerToken) / 0.9 + 1000;
  const node = { ...linked(freeLink), device: { ...linked(freeLink).device, memoryBytes } };
  const how = { reserves: "beforePrefill", reservedOutputTokens: 16 } as const;
  const { handover: between } = simulate(apart(config, how, { node }));
  // Of 19 blocks the k-th takes one while there are k more for outputs: nine have room when all ask.
  expect([...between!.reservedNs].filter((ns) => ns === 0)).toHaveLength(9);
});

test("prompts up to the limit stay with the pool that decodes", () => {
  const { handover: rows, requests } = simulate(apart(base, { localPromptTokens: 100 }));
  expect([...rows!.arrivedNs].map(Number.isNaN)).toEqual([true, false, true, true]);
  expect([...requests.replicaOf]).toEqual([1, 1, 1, 0]);
});

test("pools that do the same equal one pool with all replicas", () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ at: i * 1e6, prompt: 50 + ((i * 37) % 200), output: 8 }));
  for (const router of [routers["round-robin"], routers["least-loaded"]])
    for (const dp of [1, 2]) {
      const mapping = { ...singleDevice, dp, ep: dp };
      const one = { ...base, mapping, router, workload: open(testRequests(rows)), replicas: 3 };
      const { seed: _seed, workload: _workload, warmupRequests: _warmup, ...pool } = one;
      const parts: SimConfig = {
        ...one,
        name: "a",
        replicas: 2,
        otherPools: [{ ...pool, name: "b", replicas: 1 }],
      };
      const [whole, split] = [simulate(one), simulate(parts)];
      expect(split.requests).toEqual(whole.requests);
      expect(split.replicaBusyNs).toEqual(whole.replicaBusyNs);
      expect(split.outputTokens).toBe(whole.outputTokens);
    }
});

test("prefills do not delay the decodes of another pool", () => {
  const rows = [
    { at: 0, prompt: 16, output: 200 },
    ...Array.from({ length: 20 }, (_, i) => ({ at: 1e6 * (5 + i), prompt: 2000, output: 1 })),
  ];
  const config = { ...base, workload: open(testRequests(rows)) };
  const span = ({ requests }: RunResult) => requests.lastTokenNs[0]! - requests.firstTokenNs[0]!;
  const alone = span(simulate({ ...base, workload: open(testRequests(rows.slice(0, 1))) }));
  expect(span(simulate(config))).toBeGreaterThan(alone);
  expect(span(simulate(apart(config)))).toBe(alone);
});
