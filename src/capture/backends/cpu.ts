import type { BackendModule, Tfjs } from "./backend.ts";
import { processorName } from "./processor.ts";

export const cpu: BackendModule = {
  id: "cpu",
  title: "plain JavaScript, for comparison",
  packages: { "@tensorflow/tfjs-core": "4.22.0", "@tensorflow/tfjs-backend-cpu": "4.22.0" },
  async load(packages) {
    const tf = (await packages.import("@tensorflow/tfjs-core")) as Tfjs;
    // Without the checks of development, and without its advice on the console.
    tf.enableProdMode();
    await packages.import("@tensorflow/tfjs-backend-cpu");
    await tf.setBackend("cpu");
    await tf.ready();
    return {
      tf,
      device: `one thread of ${processorName()}`,
      hardware: "cpu",
      memoryBytes: null,
      tensorBytesMax: null,
      close: () => {},
    };
  },
};
