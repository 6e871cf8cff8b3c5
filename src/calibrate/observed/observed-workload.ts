import { oneReplica, type SimConfig, type Workload } from "../../sim/config.ts";
import type { RequestTable } from "../../trace/request-table.ts";
import { type ClosedLoad, closedLoadRequests, shortestShare } from "../engine/point-config.ts";
import { burstWaves } from "../engine/predict-point.ts";
import type { MeasuredRun } from "../measured/measured-run.ts";

/** A closed loop as a measurement states it. */
export interface StatedLoop {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Whether the lengths are means, or the longest of lengths that differ little, as tables of points state them. */
  readonly lengths: "mean" | "longest";
  readonly clients: number;
  /** Requests that the statistics count; null where it is not stated. */
  readonly requests: number | null;
}

/** A closed loop to simulate, and where its requests come from, in words. */
export interface LoopRequests {
  readonly workload: Workload & { readonly kind: "closed" };
  /** Requests at the start that statistics leave out. */
  readonly warmupRequests: number;
}

/** Lengths that differ by less from the scenario's own are the scenario's own: means over counted requests do. */
const sameLength = 0.03;

/**
 * The requests of a measured closed loop. A scenario whose traffic is a closed loop describes the load generator: its
 * lengths, shared prefixes, requests per client and warm-up are taken, its lengths in the proportion of the stated ones.
 * Beside other traffic a benchmark's own habits stand.
 */
export function loopRequests(config: SimConfig, load: StatedLoop): LoopRequests {
  const { workload } = config;
  return workload.kind === "closed" ? likeScenario(config, workload, load) : likeBenchmarks(load);
}

function likeScenario(config: SimConfig, own: Workload & { kind: "closed" }, load: StatedLoop): LoopRequests {
  const { requests: table, concurrency } = own;
  const left = config.warmupRequests / table.count;
  const wanted =
    load.requests === null ? (table.count * load.clients) / concurrency : load.requests / Math.max(0.01, 1 - left);
  // A prompt that is sent again would be found in the prefix cache.
  const count = Math.max(1, Math.min(Math.round(wanted), table.prefix === null ? requestsMax : table.count));
  const requests = repeated(table, count, {
    prompt: proportion(table.promptTokens, load.promptTokens, load.lengths),
    output: proportion(table.outputTokens, load.outputTokens, load.lengths),
  });
  return {
    workload: { kind: "closed", requests, concurrency: load.clients },
    warmupRequests: Math.min(count - 1, Math.round(left * count)),
  };
}

function likeBenchmarks(load: StatedLoop): LoopRequests {
  const longest = (tokens: number) =>
    load.lengths === "longest" ? tokens : Math.max(1, Math.round((2 * tokens) / (1 + shortestShare)));
  const closed = {
    promptTokens: longest(load.promptTokens),
    outputTokens: longest(load.outputTokens),
    concurrency: load.clients,
  };
  const count = Math.min(requestsMax, load.requests ?? burstWaves * load.clients);
  return {
    workload: { kind: "closed", requests: closedLoadRequests(closed, count), concurrency: load.clients },
    warmupRequests: 0,
  };
}

/** Requests of one load that are simulated: the steady state is long reached. */
const requestsMax = 20_000;

/** Stated over own length; 1 where they are the same. */
function proportion(own: Uint32Array, stated: number, lengths: StatedLoop["lengths"]): number {
  const mean = meanLength(own);
  const longest = own.reduce((most, tokens) => Math.max(most, tokens), 0);
  // Tables state the longest length; of lengths that differ more the mean says what they are.
  const level = lengths === "longest" && mean >= shortestShare * longest ? longest : mean;
  const ratio = stated / level;
  return Math.abs(ratio - 1) < sameLength ? 1 : ratio;
}

/** The first `count` requests of a table, from its start again where it has fewer, their lengths in proportion. */
function repeated(table: RequestTable, count: number, by: { prompt: number; output: number }): RequestTable {
  if (count === table.count && by.prompt === 1 && by.output === 1) return table;
  const scaled = (tokens: Uint32Array, ratio: number) =>
    Uint32Array.from({ length: count }, (_, i) => Math.max(1, Math.round(ratio * tokens[i % table.count]!)));
  const cycled = (values: Uint16Array) => Uint16Array.from({ length: count }, (_, i) => values[i % table.count]!);
  return {
    ...table,
    count,
    arrivalNs: new Float64Array(count),
    promptTokens: scaled(table.promptTokens, by.prompt),
    outputTokens: scaled(table.outputTokens, by.output),
    classOf: cycled(table.classOf),
    domainOf: table.domainOf === null ? null : cycled(table.domainOf),
    // Blocks of a prefix lie at places of its prompt: in prompts of other lengths there are none.
    prefix: by.prompt === 1 ? table.prefix : null,
  };
}

/** The deployment under a closed loop, its context long enough for what is longer than the scenario's own requests. */
export function servedLoop(config: SimConfig, { workload, warmupRequests }: LoopRequests): SimConfig {
  const longest = longestOf(workload.requests);
  const loop = { ...config, workload };
  // Of the scenario's own requests those are refused that the scenario refuses.
  const served = longest > longestOf(config.workload.requests) ? servedWith(loop, longest) : loop;
  return { ...served, warmupRequests };
}

/** One replica of a deployment under its part of a closed loop: its steady state tells what the engine spends time on. */
export function replicaLoop(config: SimConfig, requests: RequestTable, clients: number): SimConfig {
  const concurrency = Math.max(1, Math.round(clients / config.replicas));
  return servedWith(
    { ...oneReplica(config), workload: { kind: "closed", requests, concurrency } },
    longestOf(requests),
  );
}

/** One replica under a closed loop as tables of points state it. */
export function closedLoopOf(config: SimConfig, load: ClosedLoad): SimConfig {
  return replicaLoop(oneReplica(config), closedLoadRequests(load), load.concurrency);
}

/** The deployment under the requests of a measured run: as they arrived, or from a number of clients. */
export function replayOf(config: SimConfig, { requests }: MeasuredRun, clients: number | null): SimConfig {
  return servedWith(
    {
      ...config,
      workload: clients === null ? { kind: "open", requests } : { kind: "closed", requests, concurrency: clients },
    },
    longestOf(requests),
  );
}

export function meanLength(tokens: Uint32Array): number {
  return tokens.reduce((sum, value) => sum + value, 0) / tokens.length;
}

const longestOf = ({ promptTokens, outputTokens }: RequestTable): number =>
  promptTokens.reduce((most, prompt, i) => Math.max(most, prompt + (outputTokens[i] ?? 0)), 0);

/** What was served is served: the longest request is accepted, and no request is left out as warm-up. */
function servedWith(config: SimConfig, longestTokens: number): SimConfig {
  const contextTokensMax = Math.max(config.scheduler.contextTokensMax, longestTokens);
  return { ...config, scheduler: { ...config.scheduler, contextTokensMax }, warmupRequests: 0 };
}
