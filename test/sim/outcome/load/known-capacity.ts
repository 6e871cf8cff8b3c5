import { RandomStream } from "../../../../src/core/random.ts";
import type { SimConfig } from "../../../../src/sim/config.ts";
import { judgeLoad } from "../../../../src/sim/outcome/load/judge-load.ts";
import type { LoadVerdict } from "../../../../src/sim/outcome/load/load-verdict.ts";
import { simulate } from "../../../../src/sim/simulate.ts";
import type { RequestTable } from "../../../../src/trace/request-table.ts";
import { resolved } from "../../../forecast/example-forecast.ts";
import { testConfig, testEngine, testNode, testRequests, tinyModel } from "../../build.ts";

/** A deployment whose largest rate is known. */
export interface KnownDeployment {
  readonly config: SimConfig;
  /** Tokens of a request. */
  readonly draw: (rng: RandomStream) => { readonly prompt: number; readonly output: number };
  readonly requestsPerSecond: number;
}

/** A device so fast that a step takes the engine's overhead only, and no routing to replay. */
function plain(stepOverheadNs: number, sequenceOverheadNs: number, maxSequences: number): SimConfig {
  const base = testConfig();
  return {
    ...base,
    model: tinyModel({}, 1),
    routing: { kind: "uniform" },
    node: testNode({ peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30, memoryBytes: 1e12 }),
    engine: testEngine({ stepOverheadNs, sequenceOverheadNs, kernelOverheadNs: 0 }),
    scheduler: { ...base.scheduler, maxBatchTokens: 1 << 20, memoryUtilisation: 1, maxSequences },
  };
}

const exponential = (mean: number, rng: RandomStream) => Math.max(1, Math.min(1000, Math.ceil(rng.exponential(mean))));

/** Qwen3-30B-A3B on two replicas of two H100, 32 sequences each. */
const served: SimConfig = {
  ...resolved.config,
  scheduler: { ...resolved.config.scheduler, maxSequences: 32 },
};
const conversation = (rng: RandomStream) => ({ prompt: exponential(150, rng), output: exponential(60, rng) });

/** Completions per second with 12,000 requests at once, from the first tenth of them to the last. */
function measuredCapacity(config: SimConfig, draw: KnownDeployment["draw"]): number {
  const rng = new RandomStream(1, "capacity");
  const requests = testRequests(Array.from({ length: 12_000 }, () => ({ at: 0, ...draw(rng) })));
  const { lastTokenNs } = simulate({ ...config, workload: { kind: "open", requests } }).requests;
  const ends = lastTokenNs.toSorted();
  const [from, to] = [ends[1200]!, ends[10_800]!];
  return 9600 / ((to - from) / 1e9);
}

/** Deployments by name; the first two by arithmetic, the others by a long run that is never short of work. */
export const knownDeployments: Readonly<Record<string, () => KnownDeployment>> = {
  "one token at a time": () => ({
    config: plain(1_000_000, 0, 1),
    draw: () => ({ prompt: 1, output: 1 }),
    requestsPerSecond: 1000,
  }),
  "four sequences of ten steps": () => ({
    config: plain(1_000_000, 0, 4),
    draw: () => ({ prompt: 10, output: 10 }),
    requestsPerSecond: 400,
  }),
  "a batch of 16, each sequence costs": () => {
    const config = plain(500_000, 50_000, 16);
    const draw = (rng: RandomStream) => ({ prompt: 10, output: exponential(20, rng) });
    return { config, draw, requestsPerSecond: measuredCapacity(config, draw) };
  },
  "Qwen3-30B-A3B on 2 x 2 H100": () => ({
    config: served,
    draw: conversation,
    requestsPerSecond: measuredCapacity(served, conversation),
  }),
};

/** n Poisson arrivals at a share of the capacity; more continue the same load. */
function knownLoad({ draw, requestsPerSecond }: KnownDeployment, share: number, n: number, seed: number): RequestTable {
  const rng = new RandomStream(seed, "arrivals");
  const lengths = new RandomStream(seed, "lengths");
  let at = 0;
  return testRequests(
    Array.from({ length: n }, () => {
      at += rng.exponential(1e9 / (share * requestsPerSecond));
      return { at: Math.round(at), ...draw(lengths) };
    }),
  );
}

/** The verdict on a share of the capacity. */
export const verdictAt = (known: KnownDeployment, share: number, n: number, seed: number): LoadVerdict =>
  judgeLoad(simulate({ ...known.config, workload: { kind: "open", requests: knownLoad(known, share, n, seed) } }));
