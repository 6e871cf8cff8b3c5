import util from "node:util";
import type { BackendModule, Tfjs } from "./backend.ts";
import { processorName } from "./processor.ts";
import { BackendUnavailable } from "./unavailable.ts";

export const tensorflow: BackendModule = {
  id: "tensorflow",
  title: "TensorFlow's native library: CUDA GPUs, or all CPU threads",
  packages: { "@tensorflow/tfjs-core": "4.22.0", "@tensorflow/tfjs-node-gpu": "4.22.0" },
  async load(packages) {
    restoreRemovedHelpers();
    // TensorFlow logs its start to stderr; warnings and errors stay.
    process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
    // The packages print what the WebGL-less build of tfjs-core cannot do.
    const { warn } = console;
    console.warn = () => {};
    try {
      await packages.import("@tensorflow/tfjs-node-gpu");
    } catch (error) {
      throw new BackendUnavailable(`tensorflow: its native library does not load: ${firstLine(error)}`);
    } finally {
      console.warn = warn;
    }
    const tf = (await packages.import("@tensorflow/tfjs-core")) as Tfjs;
    // Without the checks of development, and without its advice on the console.
    tf.enableProdMode();
    await tf.setBackend("tensorflow");
    await tf.ready();
    const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice?: boolean };
    const gpu = isUsingGpuDevice === true;
    return {
      tf,
      device: gpu ? "a CUDA GPU" : processorName(),
      hardware: gpu ? "gpu" : "cpu",
      memoryBytes: null,
      tensorBytesMax: null,
      close: () => {},
    };
  },
};

/** tfjs-node 4.22 calls helpers of node:util that Node 23 removed. */
function restoreRemovedHelpers(): void {
  const helpers = util as unknown as Record<string, unknown>;
  helpers["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  helpers["isArray"] ??= Array.isArray;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
