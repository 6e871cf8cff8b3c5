import type { LiveShape } from "../../../calibrate/measured/live-measurements.ts";
import type { LiveSetting } from "../../../validate/live/predict-live.ts";
import type { LayerFigures } from "../../measure/layer-measurement.ts";
import { ProbeRounds, timed } from "../../measure/probe.ts";
import type { ExpertBank } from "../expert-bank.ts";
import { LayerThread } from "./layer-thread.ts";

/** Two threads that compute layers in turn: while one computes a layer, the other has time to upload experts of the next. */
export type LayerThreads = readonly [LayerThread, LayerThread];

/** Backends whose heap is their thread's own. The others have one queue or one device in common. */
export const threadedBackends: readonly string[] = ["wasm", "cpu"];

export async function startThreads(
  backend: string,
  { table, shape }: LiveSetting,
  bank: ExpertBank,
): Promise<LayerThreads> {
  const start = () => LayerThread.start({ backend, shape, bank: bank.lent, objects: table.layers * table.experts });
  const [first, second] = await Promise.allSettled([start(), start()]);
  if (first.status === "fulfilled" && second.status === "fulfilled") return [first.value, second.value];
  for (const each of [first, second]) if (each.status === "fulfilled") await each.value.close();
  throw [first, second].find((each) => each.status === "rejected")!.reason;
}

/** What goes into the first layer of a step. */
export const inputOf = (batch: number, { hidden }: LiveShape): Float32Array =>
  new Float32Array(batch * hidden).map((_, i) => ((i % 97) - 48) / 48);

/** Layers of the short and of the long step that a layer without experts is told from. */
const shortLayers = 1;
const longLayers = 5;

/** What is measured of the threads. */
export interface ThreadProbes {
  readonly rounds: ProbeRounds;
  /** A step and a layer without experts as the threads make them: router, readback and handing over. */
  read(): Pick<LayerFigures, "step" | "layer">;
  /**
   * How far two layer calls overlap, one on each thread at once: 1 where both take as long as one alone, 0 where one waits for
   * the other. The machine may have fewer free cores than threads.
   */
  overlap(): number;
}

export function threadProbes(
  threads: LayerThreads,
  { table, shape, batch }: Pick<LiveSetting, "table" | "shape" | "batch">,
  clock: () => number,
): ThreadProbes {
  const timedNs = async (work: () => Promise<unknown>): Promise<number> => {
    const started = clock();
    await work();
    return clock() - started;
  };
  const empty = { experts: [], slots: [], leaving: [] };
  const step = async (layers: number): Promise<void> => {
    let states = inputOf(batch, shape);
    for (let l = 0; l < layers; l++) ({ states } = await threads[l % 2]!.run({ states, batch, ...empty }, () => {}));
  };
  // Experts of neither run, which stay on the threads.
  const first = 2 * table.layers * table.experts;
  const experts = Array.from({ length: table.topK }, (_, i) => first + i);
  const call = { batch, experts, slots: experts.map(() => [0]), leaving: [] };
  const compute = (thread: LayerThread) => thread.run({ states: inputOf(batch, shape), ...call }, () => {});
  const rounds = new ProbeRounds([
    { name: "short step", run: () => timedNs(() => step(shortLayers)) },
    { name: "long step", run: () => timedNs(() => step(longLayers)) },
    { name: "first thread", run: () => timedNs(() => compute(threads[0])) },
    { name: "second thread", run: () => timedNs(() => compute(threads[1])) },
    { name: "both threads", run: () => timedNs(() => Promise.all(threads.map(compute))) },
  ]);
  return {
    rounds,
    read() {
      const [short = [], long = []] = rounds.samples;
      const layerNs = long.map((ns, i) => Math.max(0, (ns - short[i]!) / (longLayers - shortLayers)));
      return {
        step: timed(short.map((ns, i) => Math.max(0, ns - shortLayers * layerNs[i]!))),
        layer: timed(layerNs),
      };
    },
    overlap() {
      const [one, other, both] = rounds.samples.slice(2).map((samples) => timed(samples).ns) as [
        number,
        number,
        number,
      ];
      const shorter = Math.min(one, other);
      return shorter > 0 ? (one + other - both) / shorter : 0;
    },
  };
}
