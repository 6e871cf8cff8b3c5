import type { BackendModule, Tfjs } from "./backend.ts";
import { processorName } from "./processor.ts";

/** WebAssembly addresses 4 GiB. */
const wasmMemoryBytes = 2 ** 32;

export const wasm: BackendModule = {
  id: "wasm",
  title: "WebAssembly with SIMD on one CPU thread",
  packages: { "@tensorflow/tfjs-core": "4.22.0", "@tensorflow/tfjs-backend-wasm": "4.22.0" },
  async load(packages) {
    const tf = (await packages.import("@tensorflow/tfjs-core")) as Tfjs;
    // Without the checks of development, and without its advice on the console.
    tf.enableProdMode();
    await packages.import("@tensorflow/tfjs-backend-wasm");
    await tf.setBackend("wasm");
    await tf.ready();
    return {
      tf,
      device: `one thread of ${processorName()}`,
      hardware: "cpu",
      memoryBytes: wasmMemoryBytes,
      tensorBytesMax: null,
      close: () => {},
    };
  },
};
