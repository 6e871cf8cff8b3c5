import type { CallNoise, LiveShape, Timed } from "../../calibrate/measured/live-measurements.ts";
import type { Tensor2D, Tfjs } from "../backends/backend.ts";
import { disposeExpert, type ExpertTensors, placeExpert, uploadExpert } from "../decoder/expert.ts";
import type { ExpertBank } from "../live/expert-bank.ts";
import { ExpertLayer } from "../live/expert-layer.ts";
import type { Residency } from "../live/residency.ts";
import type { LayerCall } from "../live/step-rows.ts";
import { noiseOf, type Probe, timed, timedDifference } from "./probe.ts";

/** Layer calls that are timed, made of the same parts as those of a run, so that what they cost is what those will. */
export interface ExpertProbes {
  readonly probes: readonly Probe[];
  /** Reads the figures off the samples of `probes`, in their order. */
  read(samples: readonly (readonly number[])[]): {
    readonly step: Timed;
    readonly layer: Timed;
    readonly experts: readonly (Timed & { readonly rows: number })[];
    readonly fetch: Timed;
    readonly noise: readonly CallNoise[];
  };
  dispose(): void;
}

/** Layers run one after another in a sample: a single call is too short for the clock of the process to weigh. */
const layersPerSample = 4;
/** A step without a layer would never leave the host, so that what it takes is told by steps of more and of fewer layers. */
const layersPerShortSample = 1;

/**
 * Probes of a layer: without experts, with `expertsPerCall` resident ones of each number of rows, and with as many missing
 * ones. `resident` experts of the bank are kept on the device and taken in turn, so that caches of the processor find as
 * little of them as in a run.
 */
export async function expertProbes(
  tf: Tfjs,
  bank: ExpertBank,
  shape: LiveShape,
  setting: {
    readonly batch: number;
    readonly expertsPerCall: number;
    readonly rows: readonly number[];
    readonly resident: number;
    /** A cache as a run has one in each layer: what deciding takes is part of a call. */
    readonly residency: Residency;
    readonly clock: () => number;
  },
): Promise<ExpertProbes> {
  const { batch, expertsPerCall, residency, clock } = setting;
  const layer = new ExpertLayer(tf, shape);
  const held: ExpertTensors[] = Array.from({ length: setting.resident }, (_, i) => uploadExpert(tf, bank.read(i)));
  for (const tensors of held) await placeExpert(tf, tensors);
  const input = new Float32Array(batch * shape.hidden).map((_, i) => ((i % 97) - 48) / 48);
  let next = 0;

  const callOf = (experts: number, rows: number): LayerCall => ({
    experts: Array.from({ length: experts }, (_, i) => i),
    slots: Array.from({ length: experts }, (_, i) => Array.from({ length: rows }, (__, r) => (i + r) % batch)),
  });
  const step = async (layers: number, call: LayerCall, miss: boolean): Promise<number> => {
    const started = clock();
    let x: Tensor2D = tf.tensor2d(input, [batch, shape.hidden]);
    for (let l = 0; l < layers; l++) {
      const fetched = new Map<number, ExpertTensors>();
      const used: number[] = [];
      x = await layer.run(x, call, () => {
        next = (next + 1) % held.length;
        used.push(next % shape.experts);
        if (!miss) return held[next]!;
        const tensors = uploadExpert(tf, bank.read(next));
        fetched.set(next, tensors);
        return tensors;
      });
      // As in a run, what is fetched stays and what was there longest goes: the memory that is written to next is cold.
      for (const [place, tensors] of fetched) {
        disposeExpert(held[place]!);
        held[place] = tensors;
      }
      residency.call(used);
    }
    await x.data();
    x.dispose();
    return clock() - started;
  };
  const none = callOf(0, 0);
  const probes: Probe[] = [
    { name: "one layer", run: () => step(layersPerShortSample, none, false) },
    { name: "layer", run: () => step(layersPerSample, none, false) },
    ...setting.rows.map((rows) => ({
      name: `${expertsPerCall} experts of ${rows} rows`,
      run: () => step(layersPerSample, callOf(expertsPerCall, rows), false),
    })),
    { name: "fetch", run: () => step(layersPerSample, callOf(expertsPerCall, 1), true) },
  ];
  return {
    probes,
    read(samples) {
      const [short = [], layers = [], ...rest] = samples;
      const layerNs = layers.map((ns, i) => Math.max(0, (ns - short[i]!) / (layersPerSample - layersPerShortSample)));
      const missing = rest.at(-1) ?? [];
      const calls = layersPerSample * expertsPerCall;
      return {
        step: timed(short.map((ns, i) => Math.max(0, ns - layersPerShortSample * layerNs[i]!))),
        layer: timed(layerNs),
        experts: setting.rows.map((rows, i) => ({ rows, ...timedDifference(rest[i] ?? [], layers, calls) })),
        fetch: timedDifference(missing, rest[0] ?? [], calls),
        noise: rest.map(noiseOf),
      };
    },
    dispose() {
      for (const tensors of held) disposeExpert(tensors);
      layer.dispose();
    },
  };
}
