import { holds } from "../../core/errors.ts";
import type { ExpertParts } from "../../engine/offload-flags/expert-parts.ts";
import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import {
  type MissCall,
  type MissHandler,
  type MissNeed,
  type MissTimes,
  missActions,
} from "../../policy/miss/miss-policy.ts";
import type { AskedExperts } from "./asked-experts.ts";
import type { ExpertTimer } from "./expert-timer.ts";

const actionCount = Object.keys(missActions).length;

/** What happened to missing experts, by the number of the action. */
export interface MissCounts {
  /** [actions] experts of calls, and their (token, expert) pairs. */
  readonly experts: Float64Array;
  readonly pairs: Float64Array;
  /** [actions] shares of router weights of these pairs, summed; 0 where none were recorded. */
  readonly mass: Float64Array;
}

/**
 * What becomes of the experts that a call misses: a decision for each, and what follows of it. Only what is resident or fetched
 * whole is shown to the cache, so what the host computes takes nobody's slot.
 */
export class MissPlan implements MissTimes {
  readonly counts: MissCounts = {
    experts: new Float64Array(actionCount),
    pairs: new Float64Array(actionCount),
    mass: new Float64Array(actionCount),
  };
  /** (token, expert) pairs of all calls, and the shares of router weights on them. */
  pairs = 0;
  mass = 0;
  /** [count] of the call, per missing expert: part that is fetched, computed by the device of it, computed by the host. */
  readonly fetchShare: Float64Array;
  readonly deviceShare: Float64Array;
  readonly hostShare: Float64Array;
  readonly deferred: Uint8Array;
  /** Tokens of the call that resident experts compute in place of missing ones. */
  substitutedTokens = 0;
  readonly fetchNs: number;
  hostCallNs = 0;
  private readonly handler: MissHandler;
  private readonly narrowShare: number;
  private readonly defers: boolean;
  private readonly needs: readonly MissNeed[];
  private readonly action: Uint8Array;
  /** The part of the call that the cache sees. */
  private readonly keys: Uint32Array;
  private readonly seenHit: Uint8Array;
  private readonly weights: Float64Array;
  private time: ExpertTimer | null = null;

  constructor({
    handler,
    needs,
    experts,
    fetchNs,
    narrowShare,
    defers,
  }: {
    readonly handler: MissHandler;
    readonly needs: readonly MissNeed[];
    readonly experts: number;
    /** Time of fetching one expert over an idle link, ns. */
    readonly fetchNs: number;
    /** Bytes of a narrow copy over those of a whole one. */
    readonly narrowShare: number;
    /** Whether memory holds every expert. What a disk sends is not late, and read for one side alone. */
    readonly defers: boolean;
  }) {
    this.handler = handler;
    this.needs = needs;
    this.fetchNs = fetchNs;
    this.narrowShare = narrowShare;
    this.defers = defers;
    this.fetchShare = new Float64Array(experts);
    this.deviceShare = new Float64Array(experts);
    this.hostShare = new Float64Array(experts);
    this.deferred = new Uint8Array(experts);
    this.action = new Uint8Array(experts);
    this.keys = new Uint32Array(experts);
    this.seenHit = new Uint8Array(experts);
    this.weights = new Float64Array(experts);
  }

  /** Whether it asks how experts stand among the choices of their tokens. */
  get asksStanding(): boolean {
    return this.needs.includes("ranks") || this.needs.includes("weights");
  }

  /** Whether anything is computed by the host. */
  get usesHost(): boolean {
    return this.needs.includes("host");
  }

  deviceNs(tokens: number): number {
    return this.time!.aloneNs(tokens);
  }

  hostNs(tokens: number): number {
    return this.time!.hostNs(tokens);
  }

  /** Marks hits, decides on the misses and shows the cache what is for it. Returns the hits. */
  judge(
    cache: ExpertCache,
    asked: AskedExperts,
    hit: Uint8Array,
    time: ExpertTimer,
    stepTokens: number,
    parts: ExpertParts | null,
    weights?: Float64Array,
  ): number {
    const { count, keys, tokens, standing } = asked;
    const { action } = this;
    this.time = time;
    if (this.usesHost) this.hostCallNs = time.hostBeginNs(stepTokens) + time.hostEndNs(stepTokens);
    let hits = 0;
    for (let i = 0; i < count; i++) {
      hit[i] = cache.contains(keys[i]!) ? 1 : 0;
      hits += hit[i]!;
    }
    if (hits < count) {
      const call: MissCall = { count, tokens, hit, stepTokens, ranks: standing.ranks, ahead: standing.ahead };
      this.handler.decide(call, this, action, this.hostShare);
    }
    this.substitutedTokens = 0;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      this.pairs += tokens[i]!;
      this.mass += standing.mass[i]!;
      if (hit[i] === 0) {
        if (!this.defers) action[i] = inTime(action[i]!);
        this.follow(i, action[i]!, tokens[i]!, standing.mass[i]!);
        if (parts !== null) this.inParts(i, parts);
      }
      if (hit[i] === 0 && action[i] !== missActions.fetch) continue;
      if (weights !== undefined) this.weights[seen] = weights[i]!;
      this.keys[seen++] = keys[i]!;
    }
    const found = cache.call(this.keys, 0, seen, this.seenHit, weights === undefined ? undefined : this.weights);
    holds(found === hits, "cache-accounting", () => `${found} hits in a call with ${hits} resident experts`);
    return hits;
  }

  /** Books one missing expert, and sets what is fetched of it and what computed where. */
  private follow(i: number, action: number, tokens: number, mass: number): void {
    const { experts, pairs, mass: masses } = this.counts;
    experts[action]! += 1;
    pairs[action]! += tokens;
    masses[action]! += mass;
    const split = action === missActions.split ? this.hostShare[i]! : 0;
    const onHost = action === missActions.host || action === missActions.defer;
    this.hostShare[i] = onHost ? 1 : split;
    this.deferred[i] = action === missActions.defer ? 1 : 0;
    this.deviceShare[i] = 1 - split;
    if (action === missActions.fetch) this.fetchShare[i] = 1;
    else if (action === missActions.split) this.fetchShare[i] = 1 - split;
    else this.fetchShare[i] = action === missActions.narrow ? this.narrowShare : 0;
    if (action === missActions.substitute) this.substitutedTokens += tokens;
  }

  /** Of an expert in two places only what is in host memory is fetched, or computed by the host. */
  private inParts(i: number, { hostShare }: ExpertParts): void {
    this.fetchShare[i]! *= hostShare;
    this.hostShare[i]! *= hostShare;
  }
}

/** The action on an expert that may lie on a disk. */
function inTime(action: number): number {
  if (action === missActions.defer) return missActions.host;
  return action === missActions.split ? missActions.fetch : action;
}
