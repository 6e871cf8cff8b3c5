import type { KernelMaps } from "../../hardware/kernel-maps.ts";
import type { DeviceProfile } from "../../hardware/profile-schema.ts";
import { parseDeviceProfile } from "../../hardware/read-profiles.ts";
import type { LiveMeasurements } from "../measured/live-measurements.ts";
import type { FittedLink } from "./fit-link.ts";

/** A backend has no data sheet: its peaks are the highest rates that were measured, with room for noise. */
const headroom = 1.05;

/** Memory that tensors may take: what the backend says, or the host's, which is a guess where the device is a GPU. */
export function tensorMemory({ backend, hostBytes }: LiveMeasurements): {
  readonly bytes: number;
  readonly guessed: boolean;
} {
  return {
    bytes: backend.memoryBytes ?? hostBytes,
    guessed: backend.memoryBytes === null && backend.hardware === "gpu",
  };
}

/** The device profile of a measured machine. */
export function liveDevice(
  measurements: LiveMeasurements,
  fetch: FittedLink,
  kernels: KernelMaps | null,
): DeviceProfile {
  const { backend, date } = measurements;
  const source = (what: string) => ({
    kind: "measured" as const,
    source: `${what}; tfjs ${backend.id} on ${backend.device}, ${date}`,
  });
  const { flopsPerSecond, bytesPerSecond } = highestRates(measurements);
  const gpu = backend.hardware === "gpu";
  const memory = tensorMemory(measurements);
  const memorySource = memory.guessed
    ? { kind: "estimated", source: `the host's memory: ${backend.id} does not tell the GPU's` }
    : source("what the backend or the host offers");
  const profile = {
    id: `live-${backend.id}`,
    name: `${backend.device} through tfjs ${backend.id}`,
    kind: gpu ? "gpu" : "cpu",
    peak: { bf16: { value: headroom * flopsPerSecond, ...source("float32, 1.05 x the highest rate measured") } },
    achieved: {
      bf16: { value: flopsPerSecond, ...source("float32, highest rate of a product") },
      memoryBytesPerSecond: { value: bytesPerSecond, ...source("highest rate of weights or of an addition") },
    },
    memory: {
      technology: gpu ? "device memory" : "host memory",
      bytes: { value: memory.bytes, ...memorySource },
      bytesPerSecond: { value: headroom * bytesPerSecond, ...source("1.05 x the highest rate measured") },
    },
    scaleUp: null,
    scaleUpDomain: { value: 1, kind: "estimated", source: "one device" },
    scaleOut: null,
    hostLink: {
      id: `live-${backend.id}-fetch`,
      name: "upload of an expert, with its first use",
      bytesPerSecond: { value: fetch.bytesPerSecond, ...source("fitted to fetches of experts") },
      efficiency: { value: 1, ...source("the bandwidth is what transfers reach") },
      latencyNs: { value: fetch.latencyNs, ...source("fitted to fetches of experts") },
    },
    efficiencyPreset: gpu ? "gpu" : "cpu",
    efficiency: {},
    ...(kernels === null ? {} : { kernels }),
  };
  return parseDeviceProfile(profile, profile.id);
}

/** The highest FLOP/s of any product, and bytes/s of weights or of an addition over a large tensor. */
function highestRates({ products, experts, shape, deviceMemory }: LiveMeasurements) {
  const expertValues = 3 * shape.hidden * shape.width;
  const flops = [
    ...products.map(({ tokens, inputWidth, outputWidth, ns }) => (2 * tokens * inputWidth * outputWidth) / ns),
    ...experts.map(({ rows, ns }) => (2 * rows * expertValues) / ns),
  ];
  // What the cost model takes a product to move: weights, and activations of two bytes.
  const bytes = [
    (3 * deviceMemory.bytes) / deviceMemory.ns,
    ...products.map(
      ({ tokens, inputWidth, outputWidth, ns }) =>
        (4 * inputWidth * outputWidth + 2 * tokens * (inputWidth + outputWidth)) / ns,
    ),
    ...experts.map(({ rows, ns }) => (4 * expertValues + 2 * rows * (2 * shape.hidden + 3 * shape.width)) / ns),
  ];
  const highest = (rates: readonly number[]) =>
    1e9 * rates.filter((rate) => Number.isFinite(rate)).reduce((most, rate) => Math.max(most, rate), 1);
  return { flopsPerSecond: highest(flops), bytesPerSecond: highest(bytes) };
}
