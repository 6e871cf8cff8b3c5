import type { LiveMeasurements } from "../../forecast/measured/live-measurements.ts";
import type { Tensor, Tfjs } from "../backends/backend.ts";
import { type Probe, timed } from "./probe.ts";

type DeviceFigures = Pick<LiveMeasurements, "products" | "copies" | "deviceMemory" | "hostMemory" | "launch">;

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

/** Dense products of these sizes, plain copies, and the bandwidth of both memories. */
export function deviceProbes(tf: Tfjs, sizes: readonly ProductSize[], clock: () => number): DeviceProbes {
  const held: Tensor[] = [];
  const keep = <T extends Tensor>(tensor: T): T => {
    held.push(tensor);
    return tensor;
  };
  const time = async (work: () => Tensor): Promise<number> => {
    const started = clock();
    const out = work();
    await finished(tf, out);
    const ns = clock() - started;
    out.dispose();
    return ns;
  };
  const products = sizes.map(({ tokens, inputWidth, outputWidth }): Probe => {
    const x = keep(tf.fill([tokens, inputWidth], 0.5));
    const weight = keep(tf.fill([inputWidth, outputWidth], 0.01));
    return { name: `${tokens} x ${inputWidth} x ${outputWidth}`, run: () => time(() => tf.matMul(x, weight)) };
  });
  const hosts = copyBytes.map((bytes) => new Float32Array(bytes / 4).fill(1));
  const uploads = hosts.map(
    (values): Probe => ({ name: `${values.byteLength} bytes up`, run: () => time(() => tf.tensor1d(values)) }),
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
  const small = keep(tf.scalar(1));
  const from = new Float32Array(memoryBytes / 4).fill(1);
  const to = new Float32Array(memoryBytes / 4);
  const rest: Probe[] = [
    { name: "device memory", run: () => time(() => tf.add(large, large)) },
    {
      name: "host memory",
      run: async () => {
        const started = clock();
        to.set(from);
        return clock() - started;
      },
    },
    { name: "launch", run: () => time(() => tf.add(small, small)) },
  ];
  return {
    probes: [...products, ...uploads, ...downloads, ...rest],
    read(samples) {
      let at = 0;
      const take = () => timed(samples[at++] ?? []);
      const productTimes = sizes.map((size) => ({ ...size, ...take() }));
      const direction = (name: "hostToDevice" | "deviceToHost") =>
        copyBytes.map((bytes) => ({ bytes, direction: name, ...take() }));
      const copies = [...direction("hostToDevice"), ...direction("deviceToHost")];
      return {
        products: productTimes,
        copies,
        deviceMemory: { bytes: memoryBytes, ...take() },
        hostMemory: { bytes: memoryBytes, ...take() },
        launch: take(),
      };
    },
    dispose: () => {
      for (const tensor of held) tensor.dispose();
    },
  };
}

/** Waits until a tensor has been computed, reading one value of it back. */
async function finished(tf: Tfjs, tensor: Tensor): Promise<void> {
  const one = tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), [0], [1]));
  await one.data();
  one.dispose();
}
