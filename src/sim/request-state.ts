import type { RequestTable } from "../trace/request-table.ts";
import { requestStatus } from "./result.ts";

/**
 * State of every request, in parallel arrays indexed by dense request ids. Time 0 of a run is its first arrival:
 * figures count from there, whatever time the requests state.
 */
export class RequestState {
  readonly count: number;
  readonly status: Uint8Array;
  readonly arrivalNs: Float64Array;
  readonly scheduledNs: Float64Array;
  readonly firstTokenNs: Float64Array;
  readonly lastTokenNs: Float64Array;
  readonly promptTokens: Uint32Array;
  readonly outputTokens: Uint32Array;
  /** Output tokens emitted so far. */
  readonly generated: Uint32Array;
  /** Tokens whose keys and values are in the cache. */
  readonly computed: Uint32Array;
  readonly cachedTokens: Uint32Array;
  readonly preemptions: Uint16Array;
  /** Data-parallel rank of a request, counted over all replicas. */
  readonly dpRank: Uint16Array;
  /** 1 from the last prompt token computed in a pool that only prefills until the KV cache has left it. */
  readonly leaving: Uint8Array;
  /** 1 where the last prompt token is computed again, over a context that came from another pool and is still there. */
  readonly again: Uint8Array;
  /** 1 while a step that includes the request is in flight. */
  readonly inStep: Uint8Array;

  constructor(requests: RequestTable) {
    const n = requests.count;
    this.count = n;
    this.status = new Uint8Array(n).fill(requestStatus.notArrived);
    const firstNs = requests.arrivalNs[0] ?? 0;
    this.arrivalNs = requests.arrivalNs.map((atNs) => atNs - firstNs);
    this.scheduledNs = new Float64Array(n).fill(Number.NaN);
    this.firstTokenNs = new Float64Array(n).fill(Number.NaN);
    this.lastTokenNs = new Float64Array(n).fill(Number.NaN);
    // Every request computes at least one token and emits at least one.
    this.promptTokens = requests.promptTokens.map((tokens) => Math.max(1, tokens));
    this.outputTokens = requests.outputTokens.map((tokens) => Math.max(1, tokens));
    this.generated = new Uint32Array(n);
    this.computed = new Uint32Array(n);
    this.cachedTokens = new Uint32Array(n);
    this.preemptions = new Uint16Array(n);
    this.dpRank = new Uint16Array(n);
    this.leaving = new Uint8Array(n);
    this.again = new Uint8Array(n);
    this.inStep = new Uint8Array(n);
  }

  /** Tokens that a request has now: its prompt and the tokens generated. */
  known(request: number): number {
    return this.promptTokens[request]! + this.generated[request]!;
  }

  /** Whether a request only has to decode its next token: all before it is computed. */
  decoding(request: number): boolean {
    return this.generated[request]! > 0 && this.known(request) - this.computed[request]! === 1;
  }
}

/** A first-in first-out queue of requests. Preempted ones go back to the front. */
export class RequestQueue {
  private ring = new Int32Array(64);
  private head = 0;
  size = 0;

  peek(): number {
    return this.ring[this.head]!;
  }
  pushBack(request: number): void {
    this.reserve();
    this.ring[(this.head + this.size++) & (this.ring.length - 1)] = request;
  }
  pushFront(request: number): void {
    this.reserve();
    this.head = (this.head - 1) & (this.ring.length - 1);
    this.ring[this.head] = request;
    this.size++;
  }
  popFront(): number {
    const request = this.peek();
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.size--;
    return request;
  }
  private reserve(): void {
    if (this.size < this.ring.length) return;
    const grown = new Int32Array(this.ring.length * 2);
    for (let i = 0; i < this.size; i++) grown[i] = this.ring[(this.head + i) & (this.ring.length - 1)]!;
    this.ring = grown;
    this.head = 0;
  }
}
