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

/** Steps of layers without experts through the threads: router, readback and handing over, as a run has them. */
export function emptySteps({
  threads,
  shape,
  batch,
  clock,
}: {
  readonly threads: LayerThreads;
  readonly shape: LiveShape;
  readonly batch: number;
  readonly clock: () => number;
}): { readonly rounds: ProbeRounds; read(): Pick<LayerFigures, "step" | "layer"> } {
  const run = async (layers: number): Promise<number> => {
    let states = inputOf(batch, shape);
    const started = clock();
    for (let l = 0; l < layers; l++)
      ({ states } = await threads[l % 2]!.run({ states, batch, experts: [], slots: [], leaving: [] }, () => {}));
    return clock() - started;
  };
  const rounds = new ProbeRounds([
    { name: "short step", run: () => run(shortLayers) },
    { name: "long step", run: () => run(longLayers) },
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
  };
}
