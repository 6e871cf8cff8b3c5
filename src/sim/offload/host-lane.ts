import type { Resource } from "../../core/resource.ts";
import type { HostStore, TierAnswer } from "../store/host-store.ts";
import { stallCause } from "../store/stall-causes.ts";

/** Time for which the processors stood still for an expert, and what that waited for. */
interface Lack {
  readonly fromNs: number;
  readonly toNs: number;
  readonly cause: number;
}

/**
 * The experts of a call that the host's processors compute, in the order in which they are met. An expert is begun once memory
 * holds it and the call's expert before it was begun; processors and memory are asked for it then. Deferred ones come last. What
 * they add is waited for by the call after, or by this one where nothing comes after it.
 *
 * In pages of files the processors learn that an expert is not there when they come to it, once the one before is computed: it
 * is read then, while they stand still. Nothing is read ahead.
 */
export class HostLane {
  /** When the next expert can begin, ns; Infinity when there is none, or memory was not asked for it yet. */
  nextNs = Number.POSITIVE_INFINITY;
  /** When the last expert is done that this call waits for, deferred ones of the call before included, ns; -Infinity: none. */
  endNs = Number.NEGATIVE_INFINITY;
  /** Until when the call's processors last stood idle as memory lacked their next expert, ns, and what that waited for. */
  lackedNs = 0;
  lackedCause: number = stallCause.host;
  /** In pages of files: all times for which they stood still in this call. */
  lacks: Lack[] = [];
  /** When the last deferred one of this call is, ns. */
  private deferredEndNs = Number.NEGATIVE_INFINITY;
  private readonly processors: Resource;
  private readonly host: HostStore;
  /** Whether the processors come to experts in turn, and find out then where these are. */
  private readonly inTurn: boolean;
  private readonly answer: TierAnswer = { fromNs: 0, readNs: 0, cause: 0 };
  /** [count] experts of the call in the order of computing: keys, times, parts of them, and from when memory holds each. */
  private readonly keys: Uint32Array;
  private readonly ns: Float64Array;
  private readonly share: Float64Array;
  private readonly fromNs: Float64Array;
  private readonly held: Uint8Array;
  private readonly causes: Uint8Array;
  private count = 0;
  /** Of them, those that are not deferred come first. */
  private prompt = 0;
  private next = 0;
  private beginNs = 0;

  constructor(processors: Resource, host: HostStore, experts: number) {
    this.processors = processors;
    this.host = host;
    this.inTurn = host.hasPages;
    this.keys = new Uint32Array(experts);
    this.ns = new Float64Array(experts);
    this.share = new Float64Array(experts);
    this.fromNs = new Float64Array(experts);
    this.held = new Uint8Array(experts);
    this.causes = new Uint8Array(experts);
  }

  /** A call whose experts the host can begin at `beginNs` at the earliest. */
  begin(beginNs: number): void {
    this.count = this.prompt = this.next = 0;
    this.beginNs = beginNs;
    this.lackedNs = 0;
    if (this.lacks.length > 0) this.lacks = [];
    this.endNs = this.deferredEndNs;
    this.deferredEndNs = Number.NEGATIVE_INFINITY;
    this.nextNs = Number.POSITIVE_INFINITY;
  }

  /** The host cannot begin before `beginNs`. For a call that nothing of was asked for yet. */
  delay(beginNs: number): void {
    this.beginNs = beginNs;
  }

  /** Adds a part of an expert that takes `ns`. Deferred ones are added behind all others. */
  add(key: number, ns: number, share: number, deferred: boolean): void {
    const at = this.count++;
    this.keys[at] = key;
    this.ns[at] = ns;
    this.share[at] = share;
    this.fromNs[at] = Number.POSITIVE_INFINITY;
    this.held[at] = 0;
    if (!deferred) this.prompt = this.count;
  }

  get experts(): number {
    return this.count;
  }

  /** Of the call's experts, those that memory is asked for as the call starts. */
  get askedAtStart(): number {
    return this.inTurn ? 0 : this.count;
  }

  /** All experts of the call are added. */
  start(): void {
    if (this.inTurn && this.count > 0) this.nextNs = this.beginNs;
  }

  key(at: number): number {
    return this.keys[at]!;
  }

  /** Memory holds an expert from `fromNs` on, for as long as it is `held`; until then it waits for `cause`. */
  found(at: number, fromNs: number, cause: number, held: boolean): void {
    this.fromNs[at] = fromNs;
    this.causes[at] = cause;
    this.held[at] = held ? 1 : 0;
    if (at === this.next) this.nextNs = Math.max(fromNs, this.beginNs);
  }

  /** Begins the next expert, at `nextNs`, or comes to it and waits for its pages. */
  advance(): void {
    const { nextNs: atNs, next } = this;
    const key = this.keys[next]!;
    if (this.inTurn) {
      if (this.fromNs[next] === Number.POSITIVE_INFINITY && this.comeTo(next, atNs) > atNs) return;
    } else if (this.fromNs[next] === atNs) {
      this.lackedNs = atNs;
      this.lackedCause = this.causes[next]!;
    }
    const computedNs = this.processors.demand(atNs, this.ns[next]!, 0);
    const endNs = Math.max(computedNs, this.host.compute(key, atNs, this.share[next]!));
    if (this.held[next] === 1) this.host.release(key, atNs);
    if (next < this.prompt) this.endNs = Math.max(this.endNs, endNs);
    else this.deferredEndNs = Math.max(this.deferredEndNs, endNs);
    this.next++;
    if (this.next === this.count) this.nextNs = Number.POSITIVE_INFINITY;
    else if (!this.inTurn) this.nextNs = Math.max(atNs, this.fromNs[this.next]!);
    else this.nextNs = this.host.isAtHand(this.keys[this.next]!, atNs) ? atNs : endNs;
  }

  /** The processors come to an expert. Returns from when on they can compute it, ns. */
  private comeTo(at: number, atNs: number): number {
    const { answer, host } = this;
    const key = this.keys[at]!;
    host.touch(key, atNs, answer);
    const { fromNs, cause } = answer;
    this.fromNs[at] = this.nextNs = fromNs;
    this.held[at] = host.keeps(key, atNs) ? 1 : 0;
    if (fromNs > atNs) this.lacks.push({ fromNs: atNs, toNs: fromNs, cause });
    return fromNs;
  }
}
