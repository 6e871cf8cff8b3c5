import type { HalfBatchOrder } from "../../../src/engine/exchange/half-batch-orders.ts";
import type { HalfBatchWork } from "../../../src/sim/step/half-batch-orders.ts";

/** What a stream of kernels meets, in order. An exchange sent is in flight as soon as those sent before it have ended. */
type Entry =
  | { readonly kind: "compute"; readonly ns: number; readonly loss: number }
  | { readonly kind: "send"; readonly exchange: string; readonly ns: number }
  | { readonly kind: "receive"; readonly exchange: string };

const halves = ["first", "second"] as const;
type Half = (typeof halves)[number];

class Schedule {
  readonly entries: Entry[] = [];
  private readonly work: HalfBatchWork;
  constructor(work: HalfBatchWork) {
    this.work = work;
  }
  compute(ns: number, loss = 0): this {
    this.entries.push({ kind: "compute", ns, loss });
    return this;
  }
  attention(): this {
    return this.compute(this.work.prepareNs + this.work.coreNs, this.work.attentionLoss);
  }
  send(direction: "dispatch" | "combine", layer: number, half: Half): this {
    const ns = direction === "dispatch" ? this.work.dispatchNs : this.work.combineNs;
    this.entries.push({ kind: "send", exchange: `${direction} ${layer} ${half}`, ns });
    return this;
  }
  receive(direction: "dispatch" | "combine", layer: number, half: Half): this {
    this.entries.push({ kind: "receive", exchange: `${direction} ${layer} ${half}` });
    return this;
  }
}

/** vLLM's order, written out as docs/design/dbo.md lists it. */
function dualBatch(work: HalfBatchWork, layers: number): Entry[] {
  const schedule = new Schedule(work).attention();
  for (let i = 0; i < layers; i++) {
    schedule.send("dispatch", i, "first").attention().receive("dispatch", i, "first");
    schedule.send("dispatch", i, "second").compute(work.expertsNs).receive("dispatch", i, "second");
    schedule.send("combine", i, "first").compute(work.sharedNs).compute(work.expertsNs).receive("combine", i, "first");
    schedule.send("combine", i, "second").compute(work.sharedNs);
    if (i + 1 < layers) schedule.attention();
    schedule.receive("combine", i, "second");
  }
  return schedule.entries;
}

type Stage = (schedule: Schedule, half: Half) => void;

/** SGLang's executor: both halves run the same stages by turns, the second one `lag` stages behind. */
function byTurns(work: HalfBatchWork, stages: readonly Stage[], lag: number): Entry[] {
  const schedule = new Schedule(work);
  for (let turn = 0; turn < stages.length + lag; turn++) {
    stages[turn]?.(schedule, "first");
    stages[turn - lag]?.(schedule, "second");
  }
  return schedule.entries;
}

function twoBatchPrompts(work: HalfBatchWork, layers: number): Entry[] {
  const stages: Stage[] = [];
  for (let i = 0; i <= layers; i++) {
    stages.push((schedule, half) => {
      if (i > 0) schedule.compute(work.sharedNs).receive("combine", i - 1, half);
      if (i < layers) schedule.attention().send("dispatch", i, half);
    });
    if (i < layers)
      stages.push((schedule, half) =>
        schedule.receive("dispatch", i, half).compute(work.expertsNs).send("combine", i, half),
      );
  }
  return byTurns(work, stages, 0);
}

function twoBatchDecodes(work: HalfBatchWork, layers: number): Entry[] {
  const { prepareNs, coreNs, attentionLoss } = work;
  const coreLoss = coreNs > 0 ? (attentionLoss * (prepareNs + coreNs)) / coreNs : 0;
  const stages: Stage[] = [];
  for (let i = 0; i < layers; i++)
    stages.push(
      (schedule) => schedule.compute(prepareNs),
      (schedule) => schedule.compute(coreNs, coreLoss),
      (schedule, half) => schedule.send("dispatch", i, half).compute(work.sharedNs),
      (schedule, half) => schedule.receive("dispatch", i, half).compute(work.expertsNs).send("combine", i, half),
      (schedule, half) => schedule.receive("combine", i, half),
    );
  return byTurns(work, stages, 2);
}

const schedules = { dualBatch, twoBatchPrompts, twoBatchDecodes } as const satisfies Record<
  HalfBatchOrder,
  (work: HalfBatchWork, layers: number) => Entry[]
>;

/** Time of both halves through `layers` equal layers, entry by entry along the streams, ns. */
export function scheduledNs(order: HalfBatchOrder, work: HalfBatchWork, layers: number): number {
  const inFlight: { readonly exchange: string; readonly from: number; readonly to: number }[] = [];
  let now = 0;
  for (const entry of schedules[order](work, layers)) {
    if (entry.kind === "send") {
      const from = Math.max(now, inFlight.at(-1)?.to ?? 0);
      inFlight.push({ exchange: entry.exchange, from, to: from + entry.ns });
    } else if (entry.kind === "receive") {
      now = Math.max(now, inFlight.find(({ exchange }) => exchange === entry.exchange)!.to);
    } else {
      let left = entry.ns;
      for (const { from, to } of inFlight) {
        const alone = Math.min(left, Math.max(0, from - now));
        now += alone;
        left -= alone;
        const beside = Math.min(left / (1 - entry.loss), Math.max(0, to - now));
        now += beside;
        left -= beside * (1 - entry.loss);
      }
      now += left;
    }
  }
  return now;
}
