import type { LiveMeasurements, Timed } from "../../../src/calibrate/measured/live-measurements.ts";

const timed = (ns: number): Timed => ({ ns, spread: 0.01, samples: 50 });

/** A machine whose every time follows from a few numbers, in ns. */
export const machine = {
  stepNs: 20_000,
  layerNs: 50_000,
  expertNs: 80_000,
  expertRowNs: 5000,
  fetchLatencyNs: 30_000,
  fetchBytesPerSecond: 2e9,
  diskLatencyNs: 60_000,
  diskBytesPerSecond: 1e9,
};

const expertNs = (rows: number) => machine.expertNs + rows * machine.expertRowNs;
const shape = { hidden: 64, width: 128, experts: 8 };
const bytesOf = (width: number) => 12 * shape.hidden * width;

/** What `calibrate --live` would measure of it without noise. */
export function measurementsOf(tokens = 1): LiveMeasurements {
  return {
    backend: {
      id: "test",
      device: "a machine of numbers",
      hardware: "cpu",
      memoryBytes: 4e9,
      versions: { "@tensorflow/tfjs-core": "4.22.0" },
    },
    date: "2026-01-01",
    hostBytes: 16e9,
    shape,
    tokens,
    step: timed(machine.stepNs),
    layer: timed(machine.layerNs),
    experts: [1, 2, 4, 8].filter((rows) => rows <= tokens).map((rows) => ({ rows, ...timed(expertNs(rows)) })),
    fetches: [128, 64, 32].map((width) => ({
      bytes: bytesOf(width),
      shape: { ...shape, width },
      ...timed(machine.fetchLatencyNs + (1e9 * bytesOf(width)) / machine.fetchBytesPerSecond),
    })),
    products: [1, 16, 128].flatMap((rows) =>
      [8, 64, 256].map((outputWidth) => ({
        tokens: rows,
        inputWidth: 64,
        outputWidth,
        ...timed(2000 + (2 * rows * 64 * outputWidth) / 10),
      })),
    ),
    copies: (["hostToDevice", "deviceToHost"] as const).flatMap((direction) =>
      [4096, 1 << 20].map((bytes) => ({ bytes, direction, ...timed(1000 + bytes / 4) })),
    ),
    disk: (["warm", "cold"] as const).flatMap((cache) =>
      [1 << 16, 1 << 20].map((bytes) => ({
        bytes,
        cache,
        ...timed(machine.diskLatencyNs + (1e9 * bytes) / machine.diskBytesPerSecond),
      })),
    ),
    diskNote: null,
    deviceMemory: { bytes: 1 << 27, ...timed(40e6) },
    hostMemory: { bytes: 1 << 27, ...timed(20e6) },
    noise: [],
    launch: timed(5000),
    readBack: timed(4000),
  };
}
