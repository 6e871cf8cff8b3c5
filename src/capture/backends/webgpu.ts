import type { BackendModule, Tfjs } from "./backend.ts";
import { BackendUnavailable } from "./unavailable.ts";
import { guardReads, type WebGpuBackend } from "./webgpu-device.ts";

/** What is used of the `webgpu` package and of the objects it makes. */
interface WebGpuPackage {
  create(options: readonly string[]): Gpu;
  readonly globals: Record<string, unknown>;
}
interface Gpu {
  requestAdapter(options: { powerPreference: string }): Promise<Adapter | null>;
}
interface Adapter {
  readonly info?: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly device?: string;
    readonly description?: string;
  };
}

const softwareDrivers = /swiftshader|llvmpipe|lavapipe|software|\bcpu\b/i;

export const webgpu: BackendModule = {
  id: "webgpu",
  title: "WebGPU (Dawn) on Vulkan, Metal or Direct3D",
  packages: {
    "@tensorflow/tfjs-core": "4.22.0",
    "@tensorflow/tfjs-backend-webgpu": "4.22.0",
    webgpu: "0.6.2",
  },
  async load(packages) {
    const dawn = (await packages.import("webgpu")) as WebGpuPackage;
    // The backend looks for WebGPU where a browser has it, when it is imported.
    Object.assign(globalThis, dawn.globals);
    const gpu = dawn.create([]);
    Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "node" }, configurable: true });
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null)
      throw new BackendUnavailable("webgpu: no GPU: a driver for Vulkan, Metal or Direct3D 12 is needed");
    const tf = (await packages.import("@tensorflow/tfjs-core")) as Tfjs;
    // Without the checks of development, and without its advice on the console.
    tf.enableProdMode();
    await packages.import("@tensorflow/tfjs-backend-webgpu");
    if (!(await tf.setBackend("webgpu"))) throw new BackendUnavailable("webgpu: the GPU cannot be opened");
    await tf.ready();
    const backend = tf.backend() as unknown as WebGpuBackend;
    guardReads(backend);
    const { maxBufferSize, maxStorageBufferBindingSize } = backend.device.limits;
    const { vendor = "", architecture = "", device = "", description = "" } = adapter.info ?? {};
    // Names of devices are made of letters, digits and dashes; the description is the driver's.
    const chip = device.replace(/-+$/, "") || `${vendor} ${architecture}`.trim() || "unknown GPU";
    const name = description === "" ? chip : `${chip} (${description})`;
    return {
      tf,
      device: name,
      hardware: softwareDrivers.test(`${name} ${vendor} ${architecture}`) ? "software" : "gpu",
      // How much all tensors may take is not told.
      memoryBytes: null,
      tensorBytesMax: Math.min(maxBufferSize, maxStorageBufferBindingSize),
      close: () => {
        tf.removeBackend("webgpu");
        Reflect.deleteProperty(globalThis, "navigator");
      },
    };
  },
};
