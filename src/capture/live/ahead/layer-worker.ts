/** A thread that computes layer calls on a backend of its own, with experts in a heap of its own; see `layer-thread.ts`. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Tensor2D } from "../../backends/backend.ts";
import { loadBackend } from "../../backends/backends.ts";
import { disposeExpert, type ExpertTensors, expertForward, uploadExpert } from "../../decoder/expert.ts";
import { steadyNs } from "../../measure/probe.ts";
import { matrixCopiesOf } from "../../record/memory-plan.ts";
import { openBank } from "../expert-bank.ts";
import { ExpertLayer } from "../expert-layer.ts";
import type { Answer, Order, RunOrder, ThreadSetting } from "./thread-messages.ts";

const port = parentPort!;
const answer = (message: Answer): void => port.postMessage(message);

async function serve({ backend: id, shape, bank: lent, objects }: ThreadSetting): Promise<void> {
  const backend = await loadBackend(id);
  const { tf } = backend;
  const bank = openBank(lent);
  const layer = new ExpertLayer(tf, shape);
  const oneRow = tf.ones([1, shape.hidden]) as Tensor2D;
  const packs = matrixCopiesOf(id) > 0;
  const tensors = new Map<number, ExpertTensors>();
  /** Experts that were sent and are not here yet, the first first. */
  const expected = new Set<number>();
  const calls: (RunOrder | { readonly kind: "settle" })[] = [];

  const letGo = (expert: number): void => {
    expected.delete(expert);
    const own = tensors.get(expert);
    if (own === undefined) return;
    disposeExpert(own);
    tensors.delete(expert);
  };
  const upload = (expert: number): ExpertTensors => {
    const own = uploadExpert(tf, bank.read(expert % objects));
    tensors.set(expert, own);
    expected.delete(expert);
    return own;
  };
  const run = async ({ states, batch, experts, slots, leaving }: RunOrder): Promise<void> => {
    // Those that are here, then those on their way, then those that nobody sent.
    const rank = (expert: number) => (tensors.has(expert) ? 0 : expected.has(expert) ? 1 : 2);
    const ranks = experts.map(rank);
    const order = [...experts.keys()].sort((a, b) => ranks[a]! - ranks[b]! || a - b);
    let fetchNs = 0;
    let chosen = false;
    const acquire = (expert: number): ExpertTensors => {
      if (!chosen) answer({ kind: "chosen" });
      chosen = true;
      const own = tensors.get(expert);
      if (own !== undefined) return own;
      const from = steadyNs();
      const fetched = upload(expert);
      fetchNs += steadyNs() - from;
      return fetched;
    };
    const x = await layer.run(
      tf.tensor2d(states, [batch, shape.hidden]),
      { experts: order.map((i) => experts[i]!), slots: order.map((i) => slots[i]!) },
      acquire,
    );
    const result = (await x.data()) as Float32Array;
    x.dispose();
    for (const expert of leaving) letGo(expert);
    const late = ranks.filter((each) => each === 1).length;
    answer({ kind: "done", states: result, there: ranks.filter((each) => each < 2).length, late, fetchNs });
  };
  /** Uploads the expert that was sent first, and has the backend pack it where it does so at the first use. */
  const uploadNext = (): void => {
    const own = upload([...expected][0]!);
    if (packs) expertForward(tf, oneRow, own, "silu").dispose();
  };

  let wake = (): void => {};
  const take = (order: Order): void => {
    if (order.kind !== "send") calls.push(order);
    else {
      if (order.instead !== null) letGo(order.instead);
      expected.add(order.expert);
    }
    wake();
  };
  port.on("message", take);
  answer({ kind: "ready" });
  for (;;) {
    // What arrived during the last piece of work, without a turn of the event loop.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      take(next.message as Order);
    const call = calls[0];
    if (call?.kind === "run") {
      calls.shift();
      await run(call);
    } else if (expected.size > 0) uploadNext();
    else if (call !== undefined) {
      calls.shift();
      answer({ kind: "settled" });
    } else await new Promise<void>((resolve) => (wake = resolve));
  }
}

void serve(workerData as ThreadSetting);
