import { totalmem } from "node:os";
import type { LiveMeasurements, LiveShape } from "../../calibrate/measured/live-measurements.ts";
import type { LoadedBackend } from "../backends/backend.ts";
import { expertBytes } from "../live/expert-bank.ts";
import { deviceProbes, type ProductSize } from "./device-probes.ts";
import { measureDisk } from "./disk.ts";
import { type LayerFigures, type LayerSetting, measureLayers } from "./layer-measurement.ts";
import { ProbeRounds, sampleProbes } from "./probe.ts";

export interface MeasureOptions extends LayerSetting {
  /** Where disk reads are measured; null: not. */
  readonly diskFolder: string | null;
  /** Time for the probes of the device, and in {@link measureLive} again for those of layers. */
  readonly seconds: number;
  /** Day of the measurement, YYYY-MM-DD. */
  readonly date: string;
  readonly onProgress?: (share: number) => void;
}

/** What is measured of a machine apart from expert layers. */
export type MachineFigures = Omit<LiveMeasurements, keyof LayerFigures>;

const warmUpRounds = 3;
const roundsMin = 15;
const roundsMax = { layers: 400, machine: 60 };

/** Experts kept on the device while it is measured: more than the caches of a processor hold, unless that is too much. */
const residentBytesWanted = 256 << 20;
const residentMax = 64;
const expertsPerCall = 4;

/** What is measured of a machine that no run is planned for. The cache is small: experts of a call are looked for in it. */
export const machineSetting = (
  shape: LiveShape,
  batch = 16,
): Pick<LayerSetting, "shape" | "batch" | "expertsPerCall" | "residentExperts" | "cache" | "slots"> => ({
  shape,
  batch,
  expertsPerCall,
  residentExperts: Math.max(
    expertsPerCall,
    Math.min(residentMax, Math.floor(residentBytesWanted / expertBytes(shape))),
  ),
  cache: "lru",
  slots: 8,
});

/** Measures a machine through a backend, for forecasts of expert layers of one shape and for a profile of the machine. */
export async function measureLive(backend: LoadedBackend, options: MeasureOptions): Promise<LiveMeasurements> {
  const { seconds, clock, onProgress } = options;
  const layers = await measureLayers(backend.tf, options);
  try {
    await sampleProbes(layers.rounds, {
      warmUpRounds,
      roundsMin,
      roundsMax: roundsMax.layers,
      seconds,
      clock,
      onProgress: (share) => onProgress?.(share / 2),
    });
  } finally {
    layers.dispose();
  }
  const machine = await measureMachine(backend, { ...options, onProgress: (share) => onProgress?.(0.5 + share / 2) });
  return { ...machine, ...layers.read() };
}

/** Products, copies, memories, the disk, and what backend and machine are. */
export async function measureMachine(backend: LoadedBackend, options: MeasureOptions): Promise<MachineFigures> {
  const { shape, batch, clock, seconds, onProgress, signal } = options;
  const device = deviceProbes(backend.tf, productSizes(shape, batch, backend.hardware), clock);
  const rounds = new ProbeRounds(device.probes, signal);
  try {
    await sampleProbes(rounds, {
      warmUpRounds,
      roundsMin,
      roundsMax: roundsMax.machine,
      seconds,
      clock,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  } finally {
    device.dispose();
  }
  const blocks = [...new Set([65_536, 1 << 20, 4 << 20, expertBytes(shape)])].sort((a, b) => a - b);
  const disk =
    options.diskFolder === null
      ? { disk: [], diskNote: "not asked for" }
      : measureDisk(blocks, clock, options.diskFolder);
  return {
    backend: {
      id: backend.id,
      device: backend.device,
      hardware: backend.hardware,
      memoryBytes: backend.memoryBytes,
      versions: backend.versions,
    },
    date: options.date,
    hostBytes: totalmem(),
    shape,
    tokens: batch,
    ...device.read(rounds.samples),
    ...disk,
  };
}

/** Squares that are multiplied: a GPU shows what it can only on large ones, which take a processor seconds. */
const squares = { gpu: [128, 512, 1024, 2048, 4096], cpu: [128, 256, 512], software: [64, 128] };

/** The router's product, the expert's two, and squares in between for a profile of the machine. */
function productSizes(
  { hidden, width, experts }: LiveShape,
  batch: number,
  hardware: LoadedBackend["hardware"],
): ProductSize[] {
  const of = (tokens: number, inputWidth: number, outputWidth: number) => ({ tokens, inputWidth, outputWidth });
  const rows = [...new Set([1, batch, 16, 128])].sort((a, b) => a - b);
  return [
    ...rows.flatMap((tokens) => [
      of(tokens, hidden, experts),
      of(tokens, hidden, 2 * width),
      of(tokens, width, hidden),
    ]),
    ...squares[hardware].map((side) => of(side, side, side)),
  ];
}
