/**
 * Replicas that fetch experts from the memory and disks of their nodes, run event by event in the plainest way: processes
 * that say when they next do something, and one loop that lets the earliest go on. It shares no code with the simulator.
 */

export interface NaiveCase {
  readonly stages: number;
  readonly ranks: number;
  readonly layers: number;
  readonly experts: number;
  /** Node of a device: [replicas][stages][ranks]. */
  readonly nodeOf: readonly (readonly (readonly number[])[])[];
  /** Whether a node's memory is in two halves, and the half that a device is at: as `nodeOf`. */
  readonly twoSockets: boolean;
  readonly socketOf: readonly (readonly (readonly number[])[])[];
  /**
   * Whether each expert lies in both halves; otherwise with its reader while there is room for so many experts in a
   * half.
   */
  readonly interleaved: boolean;
  readonly socketExperts: number;
  /** Slots of a rank for each layer. */
  readonly slots: number;
  /** Experts of a replica that a node's memory holds; null for all of them. */
  readonly hostExperts: number | null;
  readonly overlap: boolean;
  /** Whether host memory keeps only what devices lack. */
  readonly exclusive: boolean;
  /** Experts of any replica whose file a node's page cache holds. */
  readonly pageExperts: number | null;
  /** What its thread takes to copy one out of it, or out of what a disk reads. */
  readonly copyNs: number;
  /** Whether a disk sends experts straight to devices: then memory holds the first experts of a node, and no others. */
  readonly direct: boolean;
  /** A device's link: until its first byte, and all of them. */
  readonly linkNs: number;
  readonly linkBytesNs: number;
  /** The link that a device has in common with others, as `nodeOf`; null where each has its own alone. */
  readonly commonLinkOf: readonly (readonly (readonly number[])[])[] | null;
  readonly memoryNs: number;
  readonly memoryLatencyNs: number;
  /** From one socket to the other. */
  readonly betweenNs: number;
  readonly betweenLatencyNs: number;
  readonly diskNs: number;
  /** Time of a kernel for experts, of a layer before its experts, of the host after a step, and from stage to stage. */
  readonly kernelNs: number;
  readonly layerNs: number;
  readonly hostNs: number;
  readonly handoffNs: number;
  /** One step each, in order of arrival: which replica computes it, and its tokens' experts by layer, in order. */
  readonly requests: readonly {
    readonly atNs: number;
    readonly replica: number;
    readonly experts: readonly (readonly number[])[];
  }[];
}

export interface NaiveResult {
  readonly endNs: readonly number[];
  readonly misses: number;
  readonly diskReads: number;
  readonly stallNs: number;
  /** Time that transfers stood in line for memory and disks. */
  readonly waitNs: number;
  /** Of memories, disks and links between sockets, by name. */
  readonly busyNs: ReadonlyMap<string, number>;
}

/** What a process does next: something at a time, or it goes on once a condition holds. */
type Wait = { readonly atNs: number } | { readonly until: () => boolean };

interface Process {
  /** Among those of one time: replica, step of the replica, rank. */
  readonly key: readonly [number, number, number];
  readonly steps: Generator<Wait, void, void>;
  wait: Wait | null;
}

/** Work of a line that nobody waits for. */
interface Background {
  readonly fromNs: number;
  readonly ns: number;
  readonly done: (endNs: number) => void;
}

class Line {
  freeNs = 0;
  busyNs = 0;
  waitNs = 0;
  lastNs = 0;
  private background: Background[] = [];
  beginNs(atNs: number): number {
    return Math.max(this.freeNs, atNs);
  }
  /** Work that nobody waits for begins when the line is free, before `atNs`. */
  settle(atNs: number): void {
    if (atNs < this.lastNs) throw new Error(`asked at ${atNs} after ${this.lastNs}`);
    this.lastNs = atNs;
    for (let first = this.background[0]; first !== undefined; first = this.background[0]) {
      const beginNs = Math.max(this.freeNs, first.fromNs);
      if (beginNs >= atNs) return;
      this.background.shift();
      this.busyNs += first.ns;
      this.freeNs = beginNs + first.ns;
      first.done(this.freeNs);
    }
  }
  later(atNs: number, ns: number, done: (endNs: number) => void): Background {
    this.settle(atNs);
    const work = { fromNs: atNs, ns, done };
    this.background.push(work);
    return work;
  }
  /** Somebody waits for work now: it is in line with the rest, if it has not begun. */
  hurry(atNs: number, work: Background): void {
    this.settle(atNs);
    if (!this.background.includes(work)) return;
    this.background = this.background.filter((other) => other !== work);
    work.done(this.serve(atNs, work.ns));
  }
  serve(atNs: number, ns: number): number {
    this.settle(atNs);
    this.busyNs += ns;
    this.waitNs += Math.max(0, this.freeNs - atNs);
    this.freeNs = Math.max(this.freeNs, atNs) + ns;
    return this.freeNs;
  }
}

/** Keys from least to most recently used. */
class Lru {
  private keys: number[] = [];
  private readonly size: number;
  constructor(size: number) {
    this.size = size;
  }
  /** Uses keys together: those that are there before count as hits. Tells which of those before are gone. */
  use(used: readonly number[]): { hits: boolean[]; gone: number[] } {
    const before = this.keys;
    const hits = used.map((key) => before.includes(key));
    for (const key of used) this.keys = [...this.keys.filter((other) => other !== key), key];
    const excess = Math.max(0, this.keys.length - this.size);
    const gone = this.keys.slice(0, excess).filter((key) => before.includes(key));
    this.keys = this.keys.slice(excess);
    return { hits, gone };
  }
  has(key: number): boolean {
    return this.keys.includes(key);
  }
}

/** An expert in host memory: from when it is there, and how many transfers it is kept for. */
interface Held {
  readonly key: number;
  readyNs: number;
  users: number;
  /** While it comes back from a device, and nobody waits for it: its work at the memory. */
  coming: Background | null;
}

/** What is known of an expert that was asked for: from when the link can take it, and when a disk has sent all of it. */
interface Answer {
  readonly readyNs: number;
  readonly held: Held | null;
  readonly sentNs: number | null;
}

/** Host memory in front of a disk, least recently used first. What is arriving or kept for a transfer stays. */
class HostMemory {
  private held: Held[] = [];
  private readonly size: number;
  constructor(size: number) {
    this.size = size;
  }
  /** Asks for a key. What finds no room, or leaves for good, is read past the memory, and held by nobody. */
  ask(
    key: number,
    nowNs: number,
    leaves: boolean,
    memory: Line,
    readDisk: () => number,
  ): { readyNs: number; held: Held | null } {
    memory.settle(nowNs);
    const known = this.held.find((each) => each.key === key);
    if (known !== undefined) {
      this.held = [...this.held.filter((each) => each !== known), known];
      known.users++;
      if (known.coming !== null) memory.hurry(nowNs, known.coming);
      return { readyNs: Math.max(nowNs, known.readyNs), held: known };
    }
    const readyNs = readDisk();
    if (leaves || !this.makesRoom(nowNs)) return { readyNs, held: null };
    const held = { key, readyNs, users: 1, coming: null };
    this.held.push(held);
    return { readyNs, held };
  }
  release(held: Held, leaves: boolean): void {
    held.users--;
    if (leaves && held.users === 0) this.held = this.held.filter((each) => each !== held);
  }
  /** A device gives a key back. `through` is how it comes over the link, if it has room. */
  comesBack(key: number, nowNs: number, memory: Line, memoryNs: number, through: () => number): void {
    memory.settle(nowNs);
    if (this.held.some((each) => each.key === key) || !this.makesRoom(nowNs)) return;
    const held: Held = { key, readyNs: Number.POSITIVE_INFINITY, users: 0, coming: null };
    this.held.push(held);
    const linkEndNs = through();
    held.coming = memory.later(nowNs, memoryNs, (endNs) => {
      held.readyNs = Math.max(linkEndNs, endNs);
      held.coming = null;
    });
  }
  private makesRoom(nowNs: number): boolean {
    if (this.held.length < this.size) return true;
    const victim = this.held.find((each) => each.users === 0 && each.readyNs <= nowNs);
    if (victim === undefined) return false;
    this.held = this.held.filter((each) => each !== victim);
    return true;
  }
}

/** Files of experts that a node has read, least recently read first, and when each has come from the disk. */
class Pages {
  private pages: { readonly key: number; readonly readyNs: number }[] = [];
  private readonly size: number;
  constructor(size: number) {
    this.size = size;
  }
  read(key: number, nowNs: number, copy: () => number, readDisk: () => number): number {
    const known = this.pages.find((page) => page.key === key);
    if (known !== undefined) {
      this.pages = [...this.pages.filter((page) => page !== known), known];
      return known.readyNs > nowNs ? known.readyNs : copy();
    }
    const readyNs = readDisk();
    if (this.pages.length >= this.size) {
      const victim = this.pages.find((page) => page.readyNs <= nowNs);
      if (victim === undefined) return readyNs;
      this.pages = this.pages.filter((page) => page !== victim);
    }
    this.pages.push({ key, readyNs });
    return readyNs;
  }
}

const before = (a: Process, b: Process, aNs: number, bNs: number): boolean => {
  if (aNs !== bNs) return aNs < bNs;
  for (const i of [0, 1, 2] as const) if (a.key[i] !== b.key[i]) return a.key[i] < b.key[i];
  return false;
};

export function runNaively(c: NaiveCase): NaiveResult {
  const replicas = c.nodeOf.length;
  const lines = new Map<string, Line>();
  const line = (name: string): Line => {
    if (!lines.has(name)) lines.set(name, new Line());
    return lines.get(name)!;
  };
  const caches = new Map<string, Lru>();
  const cacheOf = (name: string, size: number): Lru => {
    if (!caches.has(name)) caches.set(name, new Lru(size));
    return caches.get(name)!;
  };
  const hosts = new Map<string, HostMemory>();
  const hostOf = (name: string): HostMemory => {
    if (!hosts.has(name)) hosts.set(name, new HostMemory(c.hostExperts!));
    return hosts.get(name)!;
  };
  /** Files by node, links from devices to the host, and what each rank has given up and not sent yet. */
  const files = new Map<number, Pages>();
  const pagesOf = (node: number): Pages => {
    if (!files.has(node)) files.set(node, new Pages(c.pageExperts ?? 0));
    return files.get(node)!;
  };
  const linksBack = new Map<string, Line>();
  const given = new Map<string, number[]>();
  const placeOf = (key: number): [stage: number, rank: number] => [
    Math.floor(Math.floor(key / c.experts) / (c.layers / c.stages)),
    Math.floor((key % c.experts) / (c.experts / c.ranks)),
  ];
  /** Whether an expert is among the first of those that a replica computes on a node. */
  const livesInMemory = (replica: number, node: number, wanted: number): boolean => {
    let before = 0;
    for (let key = 0; key < wanted; key++) {
      const [stage, rank] = placeOf(key);
      if (c.nodeOf[replica]![stage]![rank] === node) before++;
    }
    return before < c.hostExperts!;
  };
  /** The half that lends its memory to an expert, by replica and key: those that find none of their own, in order. */
  const lenders = new Map<string, number>();
  const freeOf = new Map<number, [number, number]>();
  const homeless: { name: string; node: number }[] = [];
  if (c.twoSockets && !c.interleaved)
    for (let replica = 0; replica < replicas; replica++)
      for (let key = 0; key < c.layers * c.experts; key++) {
        const [stage, rank] = placeOf(key);
        const node = c.nodeOf[replica]![stage]![rank]!;
        if (c.hostExperts !== null && (!c.direct || !livesInMemory(replica, node, key))) continue;
        if (!freeOf.has(node)) freeOf.set(node, [c.socketExperts, c.socketExperts]);
        const own = c.socketOf[replica]![stage]![rank] as 0 | 1;
        if (freeOf.get(node)![own] >= 1) freeOf.get(node)![own]--;
        else homeless.push({ name: `${replica} ${key}`, node });
      }
  for (const { name, node } of homeless) {
    const free = freeOf.get(node)!;
    const most = free[1] > free[0] ? 1 : 0;
    if (free[most] < 1) continue;
    free[most]--;
    lenders.set(name, most);
  }
  const crossCommonLink = (replica: number, stage: number, rank: number, nowNs: number): number => {
    if (c.commonLinkOf === null) return nowNs;
    const link = c.commonLinkOf[replica]![stage]![rank]!;
    return line(`common host link ${link} of node ${c.nodeOf[replica]![stage]![rank]}`).serve(nowNs, c.linkBytesNs);
  };
  /** Reads an expert out of memory; returns when its last byte is there. */
  const readMemory = (replica: number, stage: number, rank: number, key: number, nowNs: number): number => {
    const node = c.nodeOf[replica]![stage]![rank]!;
    if (!c.twoSockets) return line(`host memory of node ${node}`).serve(nowNs, c.memoryNs) + c.memoryLatencyNs;
    const reader = c.socketOf[replica]![stage]![rank]!;
    const lender = lenders.get(`${replica} ${key}`) ?? reader;
    let readyNs = nowNs;
    for (const from of c.interleaved ? [0, 1] : [lender]) {
      const share = c.interleaved ? 0.5 : 1;
      const readNs = line(`host memory of socket ${from} of node ${node}`).serve(nowNs, 2 * share * c.memoryNs);
      readyNs = Math.max(readyNs, readNs + c.memoryLatencyNs);
      if (from === reader) continue;
      const link = line(`link from socket ${from} to ${reader} of node ${node}`);
      const sentNs = link.serve(nowNs, share * c.betweenNs);
      readyNs = Math.max(readyNs, sentNs + c.memoryLatencyNs + c.betweenLatencyNs);
    }
    return readyNs;
  };
  /** Whether host memory gives an expert up to the device that reads it. */
  const leaves = (replica: number, stage: number, rank: number, key: number): boolean =>
    c.exclusive && onDevice(replica, stage, rank, key);
  const onDevice = (replica: number, stage: number, rank: number, key: number): boolean =>
    cacheOf(`${replica} ${stage} ${rank} ${Math.floor(key / c.experts)}`, c.slots).has(key % c.experts);
  /** The next expert that a rank gave up goes back, beside one that comes. */
  const giveBack = (replica: number, stage: number, rank: number, nowNs: number): void => {
    const key = given.get(`${replica} ${stage} ${rank}`)?.shift();
    if (!c.exclusive || c.hostExperts === null || key === undefined || onDevice(replica, stage, rank, key)) return;
    const node = c.nodeOf[replica]![stage]![rank]!;
    const own = `${replica} ${stage} ${rank}`;
    if (!linksBack.has(own)) linksBack.set(own, new Line());
    const memory = line(`host memory of node ${node}`);
    hostOf(`${replica} node ${node}`).comesBack(key, nowNs, memory, c.memoryNs, () => {
      const endNs = linksBack.get(own)!.serve(nowNs, c.linkNs + c.linkBytesNs);
      if (c.commonLinkOf === null) return endNs;
      const common = line(`common host link ${c.commonLinkOf[replica]![stage]![rank]!} back of node ${node}`);
      return Math.max(endNs, common.serve(nowNs, c.linkBytesNs));
    });
  };
  const processes: Process[] = [];
  const spawn = (key: Process["key"], steps: Process["steps"]): void => {
    const process: Process = { key, steps, wait: null };
    processes.push(process);
    goOn(process);
  };
  const goOn = (process: Process): void => {
    const { value, done } = process.steps.next();
    process.wait = value ?? null;
    if (done === true) processes.splice(processes.indexOf(process), 1);
  };
  const endNs = c.requests.map(() => Number.NaN);
  let misses = 0;
  let diskReads = 0;
  let stallNs = 0;
  const heldNs = new Map<string, number>();
  /** [replicas] steps begun and ended; [replicas][stages] steps that left a stage, and when it is free. */
  const begun = c.nodeOf.map(() => 0);
  const ended = c.nodeOf.map(() => 0);
  const left = c.nodeOf.map(() => Array.from({ length: c.stages }, () => 0));
  const freeNs = c.nodeOf.map(() => Array.from({ length: c.stages }, () => 0));
  const queues: number[][] = c.nodeOf.map(() => []);
  /** Whole times at which a replica tries to begin a step, and at which requests arrive and steps end. */
  const tries: { atNs: number; kind: 0 | 1 | 2; act: () => void }[] = [];

  const tryToBegin = (replica: number, nowNs: number): void => {
    const inFlight = begun[replica]! - ended[replica]!;
    const insideFirst = begun[replica]! - left[replica]![0]!;
    if (queues[replica]!.length === 0 || inFlight === c.stages || insideFirst > 0 || freeNs[replica]![0]! > nowNs)
      return;
    const order = begun[replica]!++;
    spawn([replica, order, -1], step(replica, order, queues[replica]!.shift()!, nowNs));
  };

  function* step(replica: number, order: number, request: number, startNs: number): Process["steps"] {
    let arrivedNs = startNs;
    const perStage = c.layers / c.stages;
    for (let stage = 0; stage < c.stages; stage++) {
      yield { until: () => left[replica]![stage] === order };
      const beganNs = Math.max(arrivedNs, freeNs[replica]![stage]!);
      let atNs = beganNs;
      let usedNs = beganNs;
      for (let layer = stage * perStage; layer < (stage + 1) * perStage; layer++) {
        atNs += c.layerNs;
        const met = [...new Set(c.requests[request]!.experts[layer])];
        const callNs = atNs;
        const calls = Array.from({ length: c.ranks }, (_, rank) => {
          const mine = met.filter((expert) => Math.floor(expert / (c.experts / c.ranks)) === rank);
          const { hits, gone } = cacheOf(`${replica} ${stage} ${rank} ${layer}`, c.slots).use(mine);
          const rankGiven = given.get(`${replica} ${stage} ${rank}`) ?? [];
          given.set(`${replica} ${stage} ${rank}`, rankGiven);
          rankGiven.push(...gone.map((expert) => layer * c.experts + expert));
          const missing = mine.filter((_, i) => hits[i] === false).map((expert) => layer * c.experts + expert);
          return {
            rank,
            missing,
            doneNs: callNs + (missing.length < mine.length ? c.kernelNs : 0),
            inHost: [] as Answer[],
          };
        });
        const missed = calls.reduce((sum, call) => sum + call.missing.length, 0);
        misses += missed;
        const lookIn = (rank: number, key: number, nowNs: number): Answer => {
          const node = c.nodeOf[replica]![stage]![rank]!;
          if (c.direct) {
            if (livesInMemory(replica, node, key)) return { readyNs: nowNs, held: null, sentNs: null };
            diskReads++;
            const disk = line(`NVMe of node ${node}`);
            const readyNs = disk.beginNs(nowNs);
            return { readyNs, held: null, sentNs: disk.serve(nowNs, c.diskNs) };
          }
          const memory = line(`host memory of node ${node}`);
          const readDisk = () => {
            diskReads++;
            return line(`NVMe of node ${node}`).serve(nowNs, c.diskNs);
          };
          const copy = () => memory.serve(nowNs, 2 * c.memoryNs) + c.memoryLatencyNs;
          const readFile = () => {
            if (c.pageExperts === null) return readDisk();
            const readNs = pagesOf(node).read(key, nowNs, copy, readDisk);
            return Math.max(readNs, line(`page cache of node ${node}`).serve(nowNs, c.copyNs));
          };
          const asked = hostOf(`${replica} node ${node}`).ask(
            key,
            nowNs,
            leaves(replica, stage, rank, key),
            memory,
            readFile,
          );
          return { ...asked, sentNs: null };
        };
        if (missed > 0 && c.overlap && c.hostExperts !== null) {
          yield { atNs: callNs };
          usedNs = callNs;
          for (let i = 0; i < c.experts; i++)
            for (const call of calls)
              if (i < call.missing.length) call.inHost.push(lookIn(call.rank, call.missing[i]!, callNs));
        }
        let running = c.ranks;
        for (const call of calls) {
          const link = `${replica} ${stage} ${call.rank}`;
          spawn(
            [replica, order, call.rank],
            (function* fetching(): Process["steps"] {
              for (const [i, key] of call.missing.entries()) {
                const turnNs = Math.max(heldNs.get(link) ?? 0, c.overlap ? callNs : call.doneNs);
                let inHost = call.inHost[i] ?? { readyNs: turnNs, held: null, sentNs: null };
                if (!c.overlap && c.hostExperts !== null) {
                  yield { atNs: turnNs };
                  inHost = lookIn(call.rank, key, turnNs);
                }
                const nowNs = Math.max(heldNs.get(link) ?? 0, inHost.readyNs);
                yield { atNs: nowNs };
                const sourceNs = inHost.sentNs ?? readMemory(replica, stage, call.rank, key, nowNs);
                const readyNs = Math.max(
                  nowNs + c.linkNs + c.linkBytesNs,
                  sourceNs,
                  crossCommonLink(replica, stage, call.rank, nowNs),
                );
                const host = `${replica} node ${c.nodeOf[replica]![stage]![call.rank]!}`;
                if (inHost.held !== null) hostOf(host).release(inHost.held, leaves(replica, stage, call.rank, key));
                giveBack(replica, stage, call.rank, nowNs);
                heldNs.set(link, readyNs);
                usedNs = Math.max(usedNs, nowNs);
                stallNs += Math.max(0, readyNs - call.doneNs);
                call.doneNs = Math.max(call.doneNs, readyNs) + c.kernelNs;
              }
              running--;
            })(),
          );
        }
        if (running > 0) yield { until: () => running === 0 };
        atNs = Math.max(...calls.map((call) => call.doneNs));
      }
      const last = stage === c.stages - 1;
      const takesNs = Math.round(atNs - beganNs + (last ? c.hostNs : 0));
      const stageEndNs = Math.max(beganNs + Math.max(1, takesNs), Math.ceil(usedNs));
      freeNs[replica]![stage] = stageEndNs;
      left[replica]![stage]!++;
      if (stage === 0) tries.push({ atNs: stageEndNs, kind: 2, act: () => tryToBegin(replica, stageEndNs) });
      arrivedNs = stageEndNs + c.handoffNs;
      if (!last) continue;
      endNs[request] = stageEndNs;
      const act = () => {
        ended[replica]!++;
        tries.push({ atNs: stageEndNs, kind: 2, act: () => tryToBegin(replica, stageEndNs) });
      };
      tries.push({ atNs: stageEndNs, kind: 1, act });
    }
  }

  for (const [request, { atNs, replica }] of c.requests.entries()) {
    const act = () => {
      queues[replica]!.push(request);
      tries.push({ atNs, kind: 2, act: () => tryToBegin(replica, atNs) });
    };
    tries.push({ atNs, kind: 0, act });
  }
  for (;;) {
    const ready = processes.find(({ wait }) => wait !== null && "until" in wait && wait.until());
    if (ready !== undefined) {
      goOn(ready);
      continue;
    }
    let first: Process | null = null;
    let firstNs = Number.POSITIVE_INFINITY;
    for (const process of processes) {
      if (process.wait === null || "until" in process.wait) continue;
      if (first !== null && !before(process, first, process.wait.atNs, firstNs)) continue;
      first = process;
      firstNs = process.wait.atNs;
    }
    tries.sort((a, b) => a.atNs - b.atNs || a.kind - b.kind);
    const next = tries[0];
    if (first !== null && (next === undefined || firstNs <= next.atNs)) goOn(first);
    else if (next !== undefined) {
      tries.shift();
      next.act();
    } else break;
  }
  if (processes.length > 0) throw new Error(`${processes.length} processes of ${replicas} replicas never went on`);
  const waitNs = [...lines.values()].reduce((sum, each) => sum + each.waitNs, 0);
  const used = [...lines].filter(([, each]) => each.busyNs > 0);
  const busyNs = new Map(used.map(([name, each]) => [name, each.busyNs]));
  return { endNs, misses, diskReads, stallNs, waitNs, busyNs };
}
