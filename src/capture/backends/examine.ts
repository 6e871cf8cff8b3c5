import type { LoadedBackend } from "./backend.ts";
import { loadBackend } from "./backends.ts";
import { finished } from "./finished.ts";

/** A backend that works here. */
export interface WorkingBackend {
  readonly device: string;
  readonly hardware: LoadedBackend["hardware"];
  readonly versions: Readonly<Record<string, string>>;
  readonly memoryBytes: number | null;
  /** Of a float32 matrix product. */
  readonly gigaflopsPerSecond: number;
  /** Rows and columns of that product. */
  readonly side: number;
}

/** Matrices grow until a product takes long enough to be timed. */
const sides = [128, 256, 512, 1024, 2048, 4096];
const enoughMs = 30;
const repeats = 5;

/** Loads a backend and times a matrix product on it. Throws BackendUnavailable. */
export async function examineBackend(id: string): Promise<WorkingBackend> {
  const backend = await loadBackend(id);
  try {
    let side = 0;
    let ms = 0;
    for (side of sides) {
      ms = await productMs(backend, side);
      if (ms > enoughMs) break;
    }
    const { device, hardware, versions, memoryBytes } = backend;
    return { device, hardware, versions, memoryBytes, gigaflopsPerSecond: (2 * side * side * side) / (ms * 1e6), side };
  } finally {
    backend.close();
  }
}

/** Median time of a product of square matrices, after one that is not counted. */
async function productMs({ tf }: LoadedBackend, side: number): Promise<number> {
  const a = tf.fill([side, side], 0.5);
  const times: number[] = [];
  for (let i = 0; i <= repeats; i++) {
    const start = performance.now();
    const product = tf.matMul(a, a);
    await finished(tf, product);
    times.push(performance.now() - start);
    product.dispose();
  }
  a.dispose();
  return times.slice(1).sort((x, y) => x - y)[Math.floor(repeats / 2)]!;
}
