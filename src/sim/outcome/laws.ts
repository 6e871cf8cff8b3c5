import { holds } from "../../core/errors.ts";
import type { Handover } from "../handover/handover.ts";
import { memoryTiers } from "../offload/offload-tiers.ts";
import type { PrefetchLane } from "../offload/prefetch-lane.ts";
import type { LegKind } from "../offload/prefetch-piece.ts";
import type { RequestState } from "../request-state.ts";
import { type ResourceUse, requestStatus, timeComponents } from "../result.ts";
import { replicaStates } from "../scaling/replica-life.ts";
import type { LawCounter } from "./law-counter.ts";
import type { RunView } from "./run-view.ts";

/** Checks causality and token conservation of a request that has just finished. */
export function checkRequest(state: RequestState, request: number, laws: LawCounter): void {
  const arrival = state.arrivalNs[request]!;
  const scheduled = state.scheduledNs[request]!;
  const first = state.firstTokenNs[request]!;
  const last = state.lastTokenNs[request]!;
  holds(
    arrival <= scheduled && scheduled < first && first <= last,
    "causality",
    () => `request ${request}: arrival ${arrival}, scheduled ${scheduled}, first token ${first}, last ${last}`,
  );
  const known = state.known(request);
  holds(
    state.generated[request] === state.outputTokens[request] && state.computed[request] === known - 1,
    "token-conservation",
    () => `request ${request}: ${state.generated[request]} emitted, ${state.computed[request]} of ${known} computed`,
  );
  laws.count("causality");
  laws.count("token-conservation");
}

/** Checks the laws of the whole run. A finished run leaves no request, no KV block and no token unaccounted for. */
export function checkFinal(run: RunView): void {
  const { state, laws, dpRanks, replicas, handover } = run;
  const byStatus = new Float64Array(5);
  let emitted = 0;
  for (let request = 0; request < state.count; request++) {
    byStatus[state.status[request]!]!++;
    emitted += state.generated[request]!;
  }
  const [completed, rejected, running, waiting, notArrived] = byStatus;
  holds(
    completed === run.completed && rejected === run.rejected,
    "request-conservation",
    () => `counted ${run.completed} completed and ${run.rejected} rejected, found ${completed}, ${rejected}`,
  );
  holds(
    run.interrupted || running! + waiting! + notArrived! === 0,
    "request-conservation",
    () => `${running} running, ${waiting} waiting, ${notArrived} not arrived at the end`,
  );
  let held = 0;
  let queued = 0;
  for (const dpRank of dpRanks) {
    dpRank.kv.check();
    for (const pool of dpRank.kv.pools) held += pool.used;
    queued += dpRank.waiting.size;
    // Requests whose prompt waits for room in a decode pool have not begun.
    if (handover?.config.reserves === "beforePrefill") queued += dpRank.arriving.size;
  }
  holds(run.interrupted || held === 0, "kv-block-conservation", () => `${held} blocks held at the end`);
  for (const { frontEnds } of replicas) queued += frontEnds.outstanding;
  queued -= handover?.hearing ?? 0;
  holds(queued === waiting, "request-conservation", () => `${queued} queued, ${waiting} marked waiting`);
  const load = dpRanks.reduce((sum, { outstandingTokens }) => sum + outstandingTokens, 0);
  holds(run.interrupted || load === 0, "request-conservation", () => `a load of ${load} tokens left at the end`);
  holds(
    emitted === run.outputTokens,
    "token-conservation",
    () => `${emitted} tokens by request, ${run.outputTokens} by step`,
  );
  laws.count("request-conservation", state.count);
  laws.count("clock-monotone", run.steps);
  laws.count("progress", run.steps);
  // Held by every kernel of a step.
  laws.count("hardware-floor", run.steps);

  const stages = Math.max(...run.pools.map(({ config }) => config.mapping.pp));
  const busy = replicas.reduce((sum, replica) => sum + replica.busyNs, 0);
  let parts = 0;
  // Pipeline hand-offs lie between stages; each stage of a step rounds to whole ns.
  for (const { cost } of run.pools)
    for (const [i, value] of cost.components.entries()) if (timeComponents[i] !== "pipeline") parts += value;
  holds(
    Math.abs(parts - busy) <= run.steps * stages + 1e-9 * busy,
    "time-components",
    () => `components sum to ${parts} ns, busy ${busy} ns in ${run.steps} steps`,
  );
  laws.count("time-components");
  // Held at the end of every step.
  if (run.models !== null) laws.count("one-model-at-a-time", run.steps);
  for (const pool of run.pools) {
    checkStates(run, pool);
    checkExperts(run, pool);
  }
  if (handover !== null) checkHandover(run, handover);
}

/** Checks that each replica was in one state at any time, and stepped only while it served or drained. */
function checkStates(
  { nowNs, laws, steps, interrupted }: RunView,
  { replicas, scaling }: RunView["pools"][number],
): void {
  for (const { life, place, busyNs, plans } of replicas) {
    const times = replicaStates.map((state) => life.ns(state, nowNs));
    holds(
      times.every((ns) => ns >= 0) && times.reduce((sum, ns) => sum + ns, 0) === nowNs,
      "replica-state",
      () => `replica ${place.index}: ${times.join(" + ")} ns in its states, the run lasts ${nowNs}`,
    );
    const workingNs = (life.ns("serving", nowNs) + life.ns("draining", nowNs)) * plans.length;
    holds(
      interrupted || busyNs <= workingNs * (1 + 1e-9) + steps,
      "replica-state",
      () => `replica ${place.index}: ${busyNs} ns of steps in ${workingNs} of its states`,
    );
  }
  // Replicas that neither come nor go are not what a result reports on.
  if (scaling !== null) laws.count("replica-state", replicas.length);
}

/** Checks the links and caches of a pool's experts. */
function checkExperts(run: RunView, { experts, config }: RunView["pools"][number]): void {
  const { laws } = run;
  const elapsed = run.nowNs;
  const { caches, nodes, hosts, pages } = experts.offloads;
  for (const [i, { tiers, uplinks, uplinksBack, memories, socketLinks, processors }] of nodes.entries())
    for (const [at, resource] of [
      ...tiers,
      ...uplinks,
      ...uplinksBack,
      ...memories,
      ...socketLinks.flat(),
      processors,
    ].entries()) {
      const busyNs = resource.busyBefore(elapsed);
      holds(
        busyNs <= elapsed + 1 || run.interrupted,
        "link-busy",
        () =>
          `${config.node.tiers[at]?.id ?? "a common host link, or a socket's memory or link,"} of node ${i} busy ${busyNs} ns of ${elapsed}`,
      );
      laws.count("link-busy");
    }
  for (const [i, { thread }] of pages.entries())
    holds(
      thread.busyNs <= elapsed + 1 || run.interrupted,
      "link-busy",
      () => `copies out of the page cache of node ${i} took ${thread.busyNs} ns of ${elapsed}`,
    );
  // Every device fetches its slice of each missing expert from the memory of its node; its processors read what they compute.
  const disks = memoryTiers(config.node.tiers);
  const fromMemory = nodes.reduce(
    (sum, { tiers, memories }) => sum + bytesOf(tiers.slice(0, disks)) + bytesOf(memories),
    0,
  );
  const allFetched = caches.every(({ plan, ahead }) => plan === null && ahead === null);
  const sentAhead = (kind: LegKind) => caches.reduce((sum, { ahead }) => sum + (ahead?.sent[kind] ?? 0), 0);
  // Parts of experts have no whole bytes, and sums of them depend on the order.
  const same = (a: number, b: number) => (allFetched ? a === b : Math.abs(a - b) <= 1e-9 * Math.max(a, b));
  const pastMemory = allFetched
    ? hosts.reduce((sum, { directReads }) => sum + directReads, 0) * (caches[0]?.memoryBytesPerFetch ?? 0)
    : 0;
  const toDevices = caches.reduce((sum, { askedBytes }) => sum + askedBytes.memory, sentAhead("memory")) - pastMemory;
  const toProcessors = hosts.reduce((sum, { computedBytes }) => sum + computedBytes, 0);
  // Beside that, pages of files are copied in it, and experts come back into it or change places.
  const copied = pages.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0);
  const inUnified = nodes.reduce((sum, { unified }) => sum + unified.bytes, 0);
  const moved = movedBytes(hosts);
  const others = fromMemory + inUnified - toDevices - toProcessors - copied;
  const rounding = allFetched ? 0 : 1e-9 * fromMemory;
  holds(
    others >= moved.done * (1 - 1e-9) - rounding && others <= moved.asked * (1 + 1e-9) + rounding,
    "byte-conservation",
    () =>
      `${fromMemory + inUnified} bytes moved in host memory: ${toDevices} fetched, ${toProcessors} computed there, ${copied} copied ` +
      `out of the page cache, and ${others}, where experts of ${moved.done} to ${moved.asked} came back or changed places`,
  );
  for (const { writeBacks, expertBytes } of caches)
    if (writeBacks !== null)
      holds(
        writeBacks.link.bytes === writeBacks.count * expertBytes,
        "byte-conservation",
        () => `${writeBacks.link.bytes} bytes written back for ${writeBacks.count} experts of ${expertBytes}`,
      );
  const overSockets = nodes.reduce((sum, { socketLinks }) => sum + bytesOf(socketLinks.flat()), 0);
  const betweenSockets = hosts.reduce((sum, { socketBytes }) => sum + socketBytes, sentAhead("socketLink"));
  holds(
    same(overSockets, betweenSockets),
    "byte-conservation",
    () => `${overSockets} bytes over links between sockets, ${betweenSockets} bytes read from other sockets`,
  );
  const overUplinks = nodes.reduce((sum, { uplinks }) => sum + bytesOf(uplinks), 0);
  const throughUplinks = caches.reduce((sum, { askedBytes }) => sum + askedBytes.uplinks, sentAhead("uplink"));
  holds(
    same(overUplinks, throughUplinks),
    "byte-conservation",
    () => `${overUplinks} bytes over common host links, ${throughUplinks} bytes fetched behind them`,
  );
  const fromDisks = nodes.reduce((sum, { tiers }) => sum + bytesOf(tiers.slice(disks)), 0);
  const intoMemory = hosts.reduce((sum, host) => sum + host.diskReads * host.diskBytes, sentAhead("disk"));
  holds(
    same(fromDisks, intoMemory),
    "byte-conservation",
    () => `${fromDisks} bytes read from disks, ${intoMemory} bytes of experts that were missing in memory`,
  );
  for (const offload of caches) {
    const { link, plan, ahead } = offload;
    const busyNs = link.busyBefore(elapsed);
    holds(busyNs <= elapsed + 1 || run.interrupted, "link-busy", () => `host link busy ${busyNs} ns of ${elapsed}`);
    const wholeBytes = offload.misses * offload.expertBytes;
    const aheadBytes = ahead?.sent.link ?? 0;
    holds(
      same(link.bytes, allFetched ? wholeBytes : offload.fetchedBytes + aheadBytes),
      "byte-conservation",
      () => `${link.bytes} bytes fetched for ${offload.misses} misses of ${offload.expertBytes}`,
    );
    laws.count("byte-conservation", offload.misses);
    laws.count("link-busy");
    holds(
      offload.hits + offload.misses === offload.accesses && link.demands === offload.fetches + (ahead?.raised ?? 0),
      "cache-accounting",
      () => `${offload.hits} hits, ${offload.misses} misses, ${link.demands} fetches, ${offload.accesses} accesses`,
    );
    const followed = plan === null ? offload.fetches : plan.counts.experts.reduce((sum, experts) => sum + experts, 0);
    const late = ahead === null ? 0 : ahead.late - (plan === null ? ahead.fetched : 0);
    holds(
      followed + late === offload.misses,
      "cache-accounting",
      () => `something was done about ${followed} of ${offload.misses} misses, and ${late} were on their way`,
    );
    const blamedNs = offload.stalls.ns.reduce((sum, ns) => sum + ns, 0);
    holds(
      Math.abs(blamedNs - offload.stallNs) <= 1e-9 * offload.stallNs,
      "stall-causes",
      () => `devices stood still for ${offload.stallNs} ns, ${blamedNs} ns of them with a cause`,
    );
    laws.count("stall-causes", offload.misses);
    if (ahead !== null) checkAhead(ahead, laws);
    laws.count("cache-accounting", offload.calls);
  }
  if (experts.loads !== null) laws.count("expert-counts", experts.loads.checked);
}

/** Checks that every expert sent ahead was used or wasted, and that its bytes are those of the link. */
function checkAhead(ahead: PrefetchLane, laws: LawCounter): void {
  const { followed, inTime, late, evicted, preempted, unused, linkBytes, wastedBytes, sent } = ahead;
  holds(
    followed === inTime + late + evicted + preempted + unused &&
      Math.abs(linkBytes - sent.link) <= 1e-9 * linkBytes &&
      wastedBytes <= linkBytes * (1 + 1e-9),
    "prefetch-accounting",
    () =>
      `${followed} experts sent ahead: ${inTime} used in time, ${late} late, ${evicted} evicted, ${preempted} given up, ` +
      `${unused} not used; ${linkBytes} bytes, ${wastedBytes} of them wasted, ${sent.link} on the link`,
  );
  laws.count("prefetch-accounting", followed);
}

const bytesOf = (tiers: readonly { readonly bytes: number }[]): number =>
  tiers.reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes that experts moved in memory to come back into it, or to change places there: of moves that are done, and of all. */
function movedBytes(hosts: RunView["pools"][number]["experts"]["offloads"]["hosts"]) {
  const of = (pick: (host: (typeof hosts)[number]) => number) => hosts.reduce((sum, host) => sum + pick(host), 0);
  return {
    done: of(({ exclusive, migration }) => (exclusive?.writtenBytes ?? 0) + (migration?.doneBytes ?? 0)),
    asked: of(({ exclusive, migration }) => (exclusive?.askedBytes ?? 0) + (migration?.askedBytes ?? 0)),
  };
}

/** Checks that every prompt that changed pools arrived whole, and that nothing is left between pools. */
function checkHandover({ laws, state, nowNs, interrupted, dpRanks }: RunView, handover: Handover): void {
  let between = 0;
  let sent = 0;
  let received = 0;
  for (let rank = 0; rank < dpRanks.length; rank++) {
    between += dpRanks[rank]!.reserved + dpRanks[rank]!.leaving + dpRanks[rank]!.arriving.size;
    sent += handover.sending[rank]!.bytes;
    received += handover.receiving[rank]!.bytes;
    for (const { busyNs } of [handover.sending[rank]!, handover.receiving[rank]!])
      holds(busyNs <= nowNs + 1 || interrupted, "link-busy", () => `hand-over link busy ${busyNs} ns of ${nowNs}`);
    laws.count("link-busy", 2);
  }
  holds(interrupted || between === 0, "request-conservation", () => `${between} requests left between pools`);
  let arrived = 0;
  for (let request = 0; request < state.count; request++) {
    const times = [handover.askedNs, handover.reservedNs, handover.computedNs, handover.arrivedNs];
    const [asked, reserved, computed, at] = times.map((values) => values[request]!) as [number, number, number, number];
    if (Number.isNaN(at)) continue;
    arrived++;
    const done = state.status[request] === requestStatus.completed;
    holds(
      asked <= reserved && reserved <= at && computed <= at && (!done || at <= state.lastTokenNs[request]!),
      "causality",
      () => `request ${request}: asked ${asked}, room ${reserved}, computed ${computed}, arrived ${at}`,
    );
  }
  laws.count("handover-conservation", arrived);
  const same = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * b;
  holds(
    interrupted || (same(sent, handover.sentBytes) && same(received, handover.receivedBytes)),
    "handover-conservation",
    () =>
      `${arrived} prompts of ${handover.sentBytes} bytes to send and ${handover.receivedBytes} to receive changed pools; ` +
      `links sent ${sent} and received ${received}`,
  );
}

/**
 * Checks that no device, link or disk was busy longer than the run. An interrupted run books work in flight in full.
 */
export function checkResources(run: RunView, resources: readonly ResourceUse[]): void {
  if (run.interrupted) return;
  for (const { name, busyNs } of resources)
    holds(
      busyNs <= run.nowNs * (1 + 1e-9) + run.steps,
      "device-busy",
      () => `${name} busy ${busyNs} ns of ${run.nowNs}`,
    );
  run.laws.count("device-busy", resources.length);
}
