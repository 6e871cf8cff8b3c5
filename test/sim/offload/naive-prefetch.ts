/**
 * One device that is sent experts ahead, run event by event in the plainest way: two servers that take their next work when they
 * are free, and processes that say when they next do something. It shares no code with the simulator.
 */

export interface NaivePrefetchCase {
  readonly layers: number;
  readonly experts: number;
  /** Slots for each layer, or of one cache for all layers; least recently used first out. */
  readonly slots: number;
  readonly global: boolean;
  /** Of one expert: the link until its first byte, the link for all of its bytes, and host memory with its latency. */
  readonly linkLatencyNs: number;
  readonly linkBytesNs: number;
  readonly memoryNs: number;
  readonly memoryLatencyNs: number;
  readonly kernelNs: number;
  readonly layerNs: number;
  readonly hostNs: number;
  readonly chunks: number;
  readonly budget: number;
  readonly latencyNs: number;
  readonly preempt: boolean;
  /** One step each: when it arrives, what each layer asks for, and what is guessed when a layer has chosen (-1: at the start). */
  readonly steps: readonly {
    readonly atNs: number;
    readonly asked: readonly (readonly number[])[];
    readonly guessed: (layer: number) => readonly number[];
  }[];
}

export interface NaivePrefetchResult {
  readonly endNs: readonly number[];
  readonly hits: number;
  readonly misses: number;
  readonly followed: number;
  readonly late: number;
  readonly useful: number;
  readonly preempted: number;
  readonly evicted: number;
  readonly unused: number;
  readonly refused: number;
  readonly stallNs: number;
  readonly lateNs: number;
  /** Chunks over the link, whole experts included as many. */
  readonly linkChunks: number;
}

interface Job {
  readonly chunkNs: number;
  left: number;
  /** End of its last chunk so far. */
  endNs: number;
  readonly priority: number;
  readonly order: number;
}

/** Serves demands in turn, and chunks of other jobs while there is none. */
class Server {
  private demands: { ns: number; done: (endNs: number) => void }[] = [];
  private jobs: Job[] = [];
  private order = 0;
  freeNs = 0;
  chunks = 0;
  busy = false;
  demand(ns: number, done: (endNs: number) => void): void {
    this.demands.push({ ns, done });
  }
  submit(chunks: number, chunkNs: number, priority: number): Job {
    const job = { chunkNs, left: chunks, endNs: Number.NEGATIVE_INFINITY, priority, order: this.order++ };
    this.jobs.push(job);
    return job;
  }
  /** Takes what is left of a job out. */
  take(job: Job): number {
    this.jobs = this.jobs.filter((other) => other !== job);
    const { left } = job;
    job.left = 0;
    return left;
  }
  /** At the end of an instant a free server begins what is first. */
  begin(nowNs: number): void {
    if (this.freeNs > nowNs) return;
    const demand = this.demands.shift();
    if (demand !== undefined) {
      this.freeNs = nowNs + demand.ns;
      demand.done(this.freeNs);
      return;
    }
    const [job] = this.jobs.filter(({ left }) => left > 0).sort((a, b) => a.priority - b.priority || a.order - b.order);
    if (job === undefined) return;
    job.left--;
    this.chunks++;
    this.freeNs = job.endNs = nowNs + job.chunkNs;
  }
  get waits(): boolean {
    return this.demands.length > 0 || this.jobs.some(({ left }) => left > 0);
  }
}

/** An expert that was sent ahead and not used yet. */
interface Sent {
  readonly layer: number;
  readonly key: number;
  readonly onLink: Job;
  readonly onMemory: Job;
}

export function runPrefetchNaively(c: NaivePrefetchCase): NaivePrefetchResult {
  const link = new Server();
  const memory = new Server();
  /** Of each layer or of all, least recently used first. */
  const caches: number[][] = Array.from({ length: c.layers }, () => []);
  const cacheOf = (layer: number) => (c.global ? 0 : layer);
  const holds = (key: number) => caches[cacheOf(Math.floor(key / c.experts))]!.includes(key);
  const chunkNs = c.linkLatencyNs + c.linkBytesNs / c.chunks;
  const memoryChunkNs = c.memoryNs / c.chunks;
  let sent: Sent[] = [];
  const count = {
    hits: 0,
    misses: 0,
    followed: 0,
    late: 0,
    useful: 0,
    preempted: 0,
    evicted: 0,
    unused: 0,
    refused: 0,
  };
  let stallNs = 0;
  let lateNs = 0;
  let demandChunks = 0;
  const endNs: number[] = [];
  const isThere = ({ onLink, onMemory }: Sent, nowNs: number) =>
    onLink.left === 0 && onMemory.left === 0 && onLink.endNs <= nowNs && onMemory.endNs + c.memoryLatencyNs <= nowNs;
  const giveUp = (one: Sent, why: "preempted" | "evicted" | "unused") => {
    link.take(one.onLink);
    memory.take(one.onMemory);
    count[why]++;
    sent = sent.filter((other) => other !== one);
  };
  const dropLost = () => {
    for (const one of sent) if (!holds(one.key)) giveUp(one, "evicted");
  };

  /** Processes wait for a time; what is due at one instant goes in the order in which it was asked for. */
  let agenda: { atNs: number; order: number; act: () => void }[] = [];
  let order = 0;
  let nowNs = 0;
  /** Calls go before guesses that are known at the same time. */
  const at = (atNs: number, act: () => void, isGuess = false) =>
    agenda.push({ atNs, order: order++ + (isGuess ? 1e9 : 0), act });

  let freeNs = 0;
  let heldNs = 0;
  const runStep = (index: number): void => {
    const step = c.steps[index];
    if (step === undefined) {
      at(freeNs, () => {
        for (const one of sent) giveUp(one, "unused");
      });
      return;
    }
    const startNs = Math.max(freeNs, step.atNs);
    at(startNs, () => {
      let reached = -1;
      let usedNs = startNs;
      const followedFor = Array.from({ length: c.layers }, () => 0);
      /** Experts that nothing sent ahead may throw out, each until its layer is passed. */
      const spared = new Map<number, number>();
      const follow = (guessed: readonly number[], madeFor: number) => {
        if (madeFor !== index) return;
        usedNs = Math.max(usedNs, nowNs);
        const wanted = guessed.filter((key) => Math.floor(key / c.experts) > reached);
        for (const key of wanted) if (holds(key)) spared.set(key, Math.floor(key / c.experts));
        for (const key of wanted) {
          const layer = Math.floor(key / c.experts);
          if (holds(key) || followedFor[layer]! >= c.budget) continue;
          for (const one of sent) if (one.key === key) giveUp(one, "evicted");
          const cache = caches[cacheOf(layer)]!;
          if (cache.length >= c.slots) {
            const victim = cache.find((other) => !spared.has(other));
            if (victim === undefined) {
              count.refused++;
              continue;
            }
            cache.splice(cache.indexOf(victim), 1);
          }
          cache.push(key);
          spared.set(key, layer);
          followedFor[layer]!++;
          count.followed++;
          dropLost();
          const priority = startNs + layer;
          sent.push({
            layer,
            key,
            onLink: link.submit(c.chunks, chunkNs, priority),
            onMemory: memory.submit(c.chunks, memoryChunkNs, priority),
          });
        }
        dropLost();
      };
      const layerFrom = (layer: number, fromNs: number): void => {
        if (layer === c.layers) {
          const doneNs = startNs + Math.max(1, Math.round(fromNs - startNs + c.hostNs));
          endNs.push(Math.max(doneNs, Math.ceil(usedNs)));
          freeNs = endNs.at(-1)!;
          // Nothing of this step is sent any more.
          index++;
          runStep(index);
          return;
        }
        const callNs = fromNs + c.layerNs;
        at(callNs, () => {
          usedNs = callNs;
          reached = layer;
          for (const [key, until] of spared) if (until < layer) spared.delete(key);
          const asked = [...new Set(step.asked[layer])].map((expert) => layer * c.experts + expert);
          const cache = caches[cacheOf(layer)]!;
          const hit = asked.map((key) => holds(key));
          for (const key of asked) spared.set(key, layer);
          caches[cacheOf(layer)] = [...cache.filter((key) => !asked.includes(key)), ...asked].slice(-c.slots);
          let doneNs = callNs;
          const late: Sent[] = [];
          const missing: number[] = [];
          let resident = 0;
          for (const [i, key] of asked.entries()) {
            const one = sent.find((other) => other.key === key);
            if (hit[i] !== true) missing.push(key);
            else if (one === undefined) resident++;
            else {
              count.useful++;
              sent = sent.filter((other) => other !== one);
              if (isThere(one, callNs)) resident++;
              else late.push(one);
            }
          }
          count.hits += resident;
          count.misses += asked.length - resident;
          count.late += late.length;
          // The others of the call that had been sent and were thrown out are lost, and so is what the call threw out.
          dropLost();
          if (c.preempt)
            for (const one of sent)
              if (one.layer <= layer && one.onLink.left > 0) {
                giveUp(one, "preempted");
                caches[cacheOf(one.layer)] = caches[cacheOf(one.layer)]!.filter((key) => key !== one.key);
              }
          if (resident > 0) doneNs += c.kernelNs;
          /** Waits for all of `pending`, then goes on with its end. */
          let lateLeft = late.length;
          const readyOf = new Map<Sent, number>();
          const afterLate = () => {
            for (const one of late) {
              const readyNs = readyOf.get(one)!;
              heldNs = Math.max(heldNs, readyNs);
              const waitNs = Math.max(0, readyNs - doneNs);
              stallNs += waitNs;
              lateNs += waitNs;
              doneNs += waitNs + c.kernelNs;
            }
            fetchFrom(0);
          };
          const fetchFrom = (i: number): void => {
            if (i === missing.length) {
              layerFrom(layer + 1, doneNs);
              return;
            }
            at(Math.max(heldNs, callNs), () => {
              usedNs = nowNs;
              let readyNs = nowNs;
              let parts = 2;
              demandChunks++;
              const part = (atNs: number) => {
                readyNs = Math.max(readyNs, atNs);
                if (--parts > 0) return;
                heldNs = readyNs;
                const waitNs = Math.max(0, readyNs - doneNs);
                stallNs += waitNs;
                doneNs += waitNs + c.kernelNs;
                fetchFrom(i + 1);
              };
              link.demand(c.linkLatencyNs + c.linkBytesNs, part);
              memory.demand(c.memoryNs, (atNs) => part(atNs + c.memoryLatencyNs));
            });
          };
          for (const one of late) {
            let readyNs = 0;
            let parts = 2;
            const part = (atNs: number) => {
              readyNs = Math.max(readyNs, atNs);
              if (--parts > 0) return;
              readyOf.set(one, readyNs);
              if (--lateLeft === 0) afterLate();
            };
            for (const [server, job, latencyNs] of [
              [link, one.onLink, 0],
              [memory, one.onMemory, c.memoryLatencyNs],
            ] as const) {
              const left = server.take(job);
              if (server === link) demandChunks += left / c.chunks;
              if (left === 0) part(job.endNs + latencyNs);
              else server.demand(left * job.chunkNs, (atNs) => part(atNs + latencyNs));
            }
          }
          const madeFor = index;
          const guessed = step.guessed(layer);
          if (c.latencyNs === 0) follow(guessed, madeFor);
          else if (guessed.length > 0) at(callNs + c.latencyNs, () => follow(guessed, madeFor), true);
          if (late.length === 0) fetchFrom(0);
        });
      };
      const first = step.guessed(-1);
      const madeFor = index;
      if (first.length > 0) at(startNs + c.latencyNs, () => follow(first, madeFor), true);
      layerFrom(0, startNs);
    });
  };
  runStep(0);
  for (;;) {
    // All that is due now, then whoever is free begins; a demand's end may put more on the agenda of this instant.
    const due = agenda.filter(({ atNs }) => atNs <= nowNs).sort((a, b) => a.atNs - b.atNs || a.order - b.order)[0];
    if (due !== undefined) {
      agenda = agenda.filter((other) => other !== due);
      due.act();
      continue;
    }
    const before = [link.freeNs, memory.freeNs, agenda.length].join();
    link.begin(nowNs);
    memory.begin(nowNs);
    if ([link.freeNs, memory.freeNs, agenda.length].join() !== before) continue;
    const times = agenda.map(({ atNs }) => atNs);
    for (const server of [link, memory]) if (server.waits) times.push(server.freeNs);
    if (agenda.length === 0 && endNs.length === c.steps.length) break;
    nowNs = Math.min(...times);
    if (nowNs === Number.POSITIVE_INFINITY) throw new Error("nothing is left to do, and steps are");
  }
  return {
    endNs,
    ...count,
    stallNs,
    lateNs,
    linkChunks: link.chunks + demandChunks * c.chunks,
  };
}
