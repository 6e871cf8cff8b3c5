import type { LiveMeasurements } from "../../calibrate/measured/live-measurements.ts";
import type { Tensor, Tfjs } from "../backends/backend.ts";
import { finished } from "../backends/finished.ts";
import { type Probe, timed, timedDifference } from "./probe.ts";

type DeviceFigures = Pick<
  LiveMeasurements,
  "products" | "copies" | "deviceMemory" | "hostMemory" | "launch" | "readBack"
>;

export interface DeviceProbes {
  readonly probes: readonly Probe[];
  read(samples: readonly (readonly number[])[]): DeviceFigures;
  dispose(): void;
}

export interface ProductSize {
  readonly tokens: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
}

const copyBytes = [4096, 65_536, 1 << 20, 16 << 20];
/** Larger than the caches of a processor. */
const memoryBytes = 64 << 20;
/** Operations in a sample, so that what waiting for them takes weighs little. */
const productsPerSample = 4;
const additionsPerSample = 4;
const launchesPerSample = 16;

/**
 * Dense products of these sizes, plain copies, and the bandwidth of both memories. What is computed on the device is timed
 * until one value of it is back; the time of reading such a value back alone is taken off.
 */
export function deviceProbes(tf: Tfjs, sizes: readonly ProductSize[], clock: () => number): DeviceProbes {
  const held: Tensor[] = [];
  const keep = <T extends Tensor>(tensor: T): T => {
    held.push(tensor);
    return tensor;
  };
  const time = async (count: number, work: () => Tensor): Promise<number> => {
    const started = clock();
    const outs = Array.from({ length: count }, work);
    await finished(tf, outs.at(-1)!);
    const ns = clock() - started;
    for (const out of outs) out.dispose();
    return ns;
  };
  const products = sizes.map(({ tokens, inputWidth, outputWidth }): Probe => {
    const x = keep(tf.fill([tokens, inputWidth], 0.5));
    const weight = keep(tf.fill([inputWidth, outputWidth], 0.01));
    return {
      name: `${tokens} x ${inputWidth} x ${outputWidth}`,
      run: () => time(productsPerSample, () => tf.matMul(x, weight)),
    };
  });
  const hosts = copyBytes.map((bytes) => new Float32Array(bytes / 4).fill(1));
  const uploads = hosts.map(
    (values): Probe => ({ name: `${values.byteLength} bytes up`, run: () => time(1, () => tf.tensor1d(values)) }),
  );
  const sources = hosts.map((values) => keep(tf.tensor1d(values)));
  const downloads = sources.map(
    (tensor): Probe => ({
      name: `${tensor.size * 4} bytes down`,
      run: async () => {
        // A fresh tensor each time, so that no copy on the host is found.
        const fresh = tf.add(tensor, 0);
        await finished(tf, fresh);
        const started = clock();
        await fresh.data();
        const ns = clock() - started;
        fresh.dispose();
        return ns;
      },
    }),
  );
  const large = keep(tf.fill([memoryBytes / 4], 1));
  // Filled on the device: a few numbers that are on the host would be added there.
  const small = keep(tf.fill([4], 1));
  const from = new Float32Array(memoryBytes / 4).fill(1);
  const to = new Float32Array(memoryBytes / 4);
  const rest: Probe[] = [
    { name: "device memory", run: () => time(additionsPerSample, () => tf.add(large, large)) },
    {
      name: "host memory",
      run: async () => {
        const started = clock();
        to.set(from);
        return clock() - started;
      },
    },
    { name: "launch", run: () => time(launchesPerSample, () => tf.add(small, small)) },
    { name: "read-back", run: () => time(1, () => tf.clone(small)) },
  ];
  return {
    probes: [...products, ...uploads, ...downloads, ...rest],
    read(samples) {
      let at = 0;
      const take = () => samples[at++] ?? [];
      const back = samples.at(-1) ?? [];
      const productTimes = sizes.map((size) => ({ ...size, ...timedDifference(take(), back, productsPerSample) }));
      const up = copyBytes.map((bytes) => ({
        bytes,
        direction: "hostToDevice" as const,
        ...timedDifference(take(), back, 1),
      }));
      const down = copyBytes.map((bytes) => ({ bytes, direction: "deviceToHost" as const, ...timed(take()) }));
      return {
        products: productTimes,
        copies: [...up, ...down],
        deviceMemory: { bytes: memoryBytes, ...timedDifference(take(), back, additionsPerSample) },
        hostMemory: { bytes: memoryBytes, ...timed(take()) },
        launch: timedDifference(take(), back, launchesPerSample),
        readBack: timed(take()),
      };
    },
    dispose: () => {
      for (const tensor of held) tensor.dispose();
    },
  };
}
