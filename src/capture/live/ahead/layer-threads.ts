import type { LiveShape } from "../../../calibrate/measured/live-measurements.ts";
import type { LiveSetting } from "../../../validate/live/predict-live.ts";
import { overlapOf } from "../../../validate/live/thread-overlap.ts";
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
   * How far one thread's layer calls and the other one's uploads overlap. The machine may have fewer free cores than threads, or
   * cores that share what they work with.
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
  // Experts of neither run: as many as a call has, which stay on the first thread, and as many that the second one uploads.
  const first = 2 * table.layers * table.experts;
  const experts = Array.from({ length: table.topK }, (_, i) => first + i);
  const call = { batch, experts, slots: experts.map(() => [0]), leaving: [] };
  const compute = () => threads[0].run({ states: inputOf(batch, shape), ...call }, () => {});
  const upload = async (): Promise<void> => {
    for (const expert of experts) threads[1].send(expert, expert);
    await threads[1].settle();
  };
  /** Calls that each sample of both at once took in. */
  const calls: number[] = [];
  const both = async (): Promise<void> => {
    let uploading = true;
    const uploaded = upload().finally(() => {
      uploading = false;
    });
    let made = 0;
    for (; uploading; made++) await compute();
    await uploaded;
    calls.push(made);
  };
  const rounds = new ProbeRounds([
    { name: "short step", run: () => timedNs(() => step(shortLayers)) },
    { name: "long step", run: () => timedNs(() => step(longLayers)) },
    { name: "computing", run: () => timedNs(compute) },
    { name: "uploading", run: () => timedNs(upload) },
    { name: "both at once", run: () => timedNs(both) },
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
      const [computing = [], uploading = [], atOnce = []] = rounds.samples.slice(2);
      const [callNs, uploadNs] = [timed(computing).ns, timed(uploading).ns];
      // Rounds that count come after those that do not.
      const counted = calls.slice(calls.length - atOnce.length);
      return timed(atOnce.map((ns, i) => overlapOf(counted[i]! * callNs, uploadNs, ns))).ns;
    },
  };
}
