import { z } from "zod";
import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, CallLog } from "./expert-cache.ts";
import { Passes } from "./passes.ts";
import { RankedCache } from "./ranked-cache.ts";

/**
 * Evicts the expert with the fewest uses in a window of the calls to come. Must be called with exactly the log it was given.
 */
class LookAheadCache extends RankedCache {
  readonly #future: CallLog;
  /** Call before which the window of each call ends; it begins after the call itself. */
  readonly #windowEnds: Uint32Array;
  readonly #usesAhead: Float64Array;
  #call = 0;
  /** First call after the window as it is now. */
  #end = 0;

  constructor(context: CacheContext, windowEnds: (log: CallLog) => Uint32Array) {
    super(context);
    holds(context.future !== null, "cache-policy-needs", () => "look-ahead replay without the coming accesses");
    this.#future = context.future;
    this.#windowEnds = windowEnds(context.future);
    this.#usesAhead = new Float64Array(context.objects);
  }

  override call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const { starts, keys: expected, calls } = this.#future;
    const call = this.#call++;
    const start = starts[call]!;
    let same = call < calls && starts[call + 1]! - start === to - from;
    for (let i = from; same && i < to; i++) same = keys[i] === expected[start + i - from];
    holds(same, "look-ahead-replay", () => `call ${call} is not the one in the given future`);
    for (; this.#end < this.#windowEnds[call]!; this.#end++) this.#count(this.#end, 1);
    this.#count(call, -1);
    return super.call(keys, from, to, hit);
  }

  /** A reference of what is asked for: nothing is prefetched into it. */
  override insert(): boolean {
    return false;
  }

  override drop(): void {}

  protected rank(id: number): number {
    return this.#usesAhead[id]!;
  }

  #count(call: number, change: number): void {
    const { keys, starts } = this.#future;
    for (let at = starts[call]!; at < starts[call + 1]!; at++) this.#usesAhead[keys[at]! - this.base]! += change;
  }
}

/** For each call, the first one after the pass that it belongs to and the `tokens` - 1 passes behind that. */
function passWindows(log: CallLog, expertsPerLayer: number, tokens: number): Uint32Array {
  const passes = new Passes();
  const firstOf: number[] = [];
  const passOf = new Uint32Array(log.calls);
  for (let call = 0; call < log.calls; call++) {
    // An empty call belongs to the pass under way.
    const isEmpty = log.starts[call] === log.starts[call + 1];
    if (!isEmpty && passes.call(Math.floor(log.keys[log.starts[call]!]! / expertsPerLayer))) firstOf.push(call);
    passOf[call] = Math.max(0, passes.number - 1);
  }
  return passOf.map((pass, call) => Math.max(call + 1, firstOf[pass + tokens] ?? log.calls));
}

const parameters = {
  tokens: z
    .int()
    .min(1)
    .max(1e9)
    .default(16)
    .describe("Passes that it looks ahead over, the one under way included; moe-lrc reports 4, 16, 64 and 256."),
};

/**
 * Segment cache best hit rate of MoE-LRC (arXiv 2505.16056, in its later version): a cache that knows the next `tokens` and evicts what they use least. A
 * pass through the model takes the place of a token, so a step of several requests is one. A reference between what can be known and
 * Belady's optimum. The authors' figures drive it access by access and count a first load into free room as a hit; here it is
 * event-atomic, as all caches are. The first version's fixed set per segment is another measure and left out.
 */
export const sch: CachePolicy<typeof parameters> = {
  name: "sch",
  rule: "Evicts the expert that the coming passes use least.",
  needs: ["future"],
  parameters,
  create: (context, { tokens } = { tokens: 16 }) =>
    new LookAheadCache(context, (log) => passWindows(log, context.expertsPerLayer ?? context.objects, tokens)),
};
