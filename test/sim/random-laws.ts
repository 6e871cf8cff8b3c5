import { expect } from "vitest";
import { EventQueue } from "../../src/core/event-queue.ts";
import { poolsOf, type SimConfig } from "../../src/sim/config.ts";
import { type LayerLoad, type RunResult, requestStatus } from "../../src/sim/result.ts";
import { Simulation } from "../../src/sim/simulation.ts";

/** Far more than any of the random deployments has: the largest has less than a tenth of them. */
const eventsMax = 3_000_000;

/** Runs `step` with an event queue that gives up on a run without an end. */
export function watched<T>(step: () => T): T {
  const pop = Reflect.get(EventQueue.prototype, "pop") as (this: EventQueue) => boolean;
  let events = 0;
  EventQueue.prototype.pop = function counted(this: EventQueue) {
    if (++events > eventsMax) throw new Error(`a run of more than ${eventsMax} events`);
    return pop.call(this);
  };
  try {
    return step();
  } finally {
    EventQueue.prototype.pop = pop;
  }
}

/** Paths of a value at which a number is not finite. */
function notFinite(value: unknown, path = ""): string[] {
  if (typeof value === "number") return Number.isFinite(value) ? [] : [path];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => notFinite(inner, `${path}.${key}`));
}

/** Everything of a result, as text. */
export function bytesOf({ itl, ...rest }: RunResult): string {
  const plain = (_: string, value: unknown) => (ArrayBuffer.isView(value) ? [...(value as Float64Array)] : value);
  return JSON.stringify({ rest, itl: itl.toJSON() }, plain);
}

/** Stops a run after some steps: the laws hold for what has happened, whatever is under way. */
export function judgeStopped(config: SimConfig, steps: number): void {
  const stopped = new Simulation(config);
  stopped.advance(steps);
  const result = stopped.result(true);
  expect(result.interrupted).toBe(true);
  expect(result.steps).toBeLessThanOrEqual(steps);
  const { requests: _requests, itl: _itl, handover: _handover, ...rest } = result;
  expect(notFinite(rest)).toEqual([]);
}

const choices = ({ pairs, withoutExpert = 0 }: LayerLoad) => pairs + withoutExpert;
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/**
 * What holds of a whole run, whatever it was: nothing is lost, every figure is finite, and figures agree with each
 * other.
 */
export function judge(config: SimConfig, result: RunResult): void {
  const { requests, itl, handover, ...rest } = result;
  expect(notFinite(rest)).toEqual([]);
  let gaps = 0;
  let emitted = 0;
  for (let i = 0; i < requests.count; i++) {
    const done = requests.status[i] === requestStatus.completed;
    if (!done) {
      expect(requests.status[i]).toBe(requestStatus.rejected);
      continue;
    }
    emitted += requests.outputTokens[i]!;
    if (i >= config.warmupRequests) gaps += requests.outputTokens[i]! - 1;
    expect(requests.cachedTokens[i]).toBeLessThan(requests.promptTokens[i]!);
  }
  expect(result.outputTokens).toBe(emitted);
  expect(itl.count).toBe(gaps);
  expect(sum(result.series.outputTokens)).toBe(emitted);
  expect(Math.max(0, ...result.series.kvUse)).toBeLessThanOrEqual(1 + 1e-9);
  expect(result.pools.flatMap((pool) => pool.replicaBusyNs)).toEqual(result.replicaBusyNs);
  for (const [name, ns] of Object.entries(result.time))
    expect(ns).toBe(sum(result.pools.map(({ time }) => time[name as keyof typeof time])));
  for (const [i, pool] of poolsOf(config).entries()) judgePool(pool, result.pools[i]!, result.steps > 0);
  if (handover !== null) judgeHandover(config, requests, handover);
}

function judgePool(config: ReturnType<typeof poolsOf>[number], pool: RunResult["pools"][number], ran: boolean): void {
  const { speculation, kv, memory, layers, cache } = pool;
  expect(speculation === null).toBe(config.speculation === null);
  if (speculation !== null) {
    expect(speculation.accepted).toBeLessThanOrEqual(speculation.drafted);
    expect(speculation.drafted).toBeLessThanOrEqual(speculation.verifications * config.speculation!.draftTokens);
  }
  expect(kv.prefixHitTokens).toBeLessThanOrEqual(kv.prefixLookupTokens);
  expect(kv.peakBlocks).toBeLessThanOrEqual(kv.blocks);
  for (const tier of memory.tiers) expect(tier.usedBytes).toBeLessThanOrEqual(tier.capacityBytes);
  const [first] = layers;
  for (const layer of layers) {
    if (ran && choices(first!) > 0 && sum(pool.replicaBusyNs) > 0)
      expect(layer.imbalance).toBeGreaterThanOrEqual(1 - 1e-12);
    expect(layer.imbalanceMax).toBeLessThanOrEqual(config.mapping.ep * config.mapping.edp + 1e-12);
    expect(choices(layer)).toBe(choices(first!));
  }
  expect(layers.length).toBeLessThanOrEqual(config.model.layers.length);
  if (cache === null) return;
  expect(cache.hits + cache.misses).toBe(cache.accesses);
  expect(cache.diskReads).toBeLessThanOrEqual(cache.misses + (cache.prefetch?.followed ?? 0));
  const { reference } = cache;
  if (reference === null) return;
  expect(reference.belady).toBeGreaterThanOrEqual(reference.lru);
  // What is sent ahead hits too, which no cache does by itself.
  if (cache.prefetch === undefined) expect(reference.belady).toBeGreaterThanOrEqual(reference.policy);
}

/** No request decodes before its KV cache is there, nor is it sent anywhere before there is room. */
function judgeHandover(
  config: SimConfig,
  { count, arrivalNs, scheduledNs, firstTokenNs, lastTokenNs }: RunResult["requests"],
  { askedNs, reservedNs, computedNs, arrivedNs, decodedNs }: NonNullable<RunResult["handover"]>,
): void {
  const { reserves, firstToken } = config.handover!;
  for (let i = 0; i < count; i++) {
    const arrived = arrivedNs[i]!;
    if (Number.isNaN(arrived)) continue;
    const order = [arrivalNs[i]!, scheduledNs[i]!, computedNs[i]!, arrived];
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(askedNs[i]).toBeLessThanOrEqual(reservedNs[i]!);
    expect(reservedNs[i]).toBeLessThanOrEqual(reserves === "beforePrefill" ? scheduledNs[i]! : arrived);
    if (reserves === "afterPrefill") expect(askedNs[i]).toBeGreaterThanOrEqual(computedNs[i]!);
    // With its only token emitted on the way, it needs no step there.
    const decoded = decodedNs[i]!;
    if (Number.isNaN(decoded)) expect(firstToken).toBe("handover");
    else expect(decoded).toBeGreaterThanOrEqual(arrived);
    if (firstToken === "prefill") expect(firstTokenNs[i]).toBe(computedNs[i]);
    if (firstToken === "handover") expect(firstTokenNs[i]).toBe(arrived);
    if (firstToken === "decodeStep") expect(firstTokenNs[i]).toBeGreaterThan(decoded);
    expect(lastTokenNs[i]).toBeGreaterThanOrEqual(firstTokenNs[i]!);
  }
}
