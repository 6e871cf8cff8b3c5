import { totalmem } from "node:os";
import type { LiveMeasurements, LiveShape } from "../../forecast/measured/live-measurements.ts";
import type { LoadedBackend } from "../backends/backend.ts";
import { createBank, expertBytes } from "../live/expert-bank.ts";
import { deviceProbes, type ProductSize } from "./device-probes.ts";
import { measureDisk } from "./disk.ts";
import { type ExpertProbes, expertProbes } from "./expert-probes.ts";
import { type ProbeOptions, sampleProbes } from "./probe.ts";

export interface MeasureOptions {
  readonly shape: LiveShape;
  /** Tokens in a step. */
  readonly batch: number;
  /** Experts of a layer call, as a run has them on average. */
  readonly expertsPerCall: number;
  /** Experts kept on the device meanwhile, as many as a run keeps. */
  readonly residentExperts: number;
  /** Where disk reads are measured; null: not. */
  readonly diskFolder: string | null;
  /** Time for the probes of experts, and again for those of the device. */
  readonly seconds: number;
  /** Nanoseconds of a steady clock. */
  readonly clock: () => number;
  /** Day of the measurement, YYYY-MM-DD. */
  readonly date: string;
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/** Sizes of the other experts whose fetching is measured, relative to the width of the shape's own. */
const fetchWidths = [0.25, 0.5];
const rowsMeasured = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64];
/** Different weights in memory. */
const setsMax = 64;

/** Measures a machine through a backend, for forecasts of expert layers of one shape and for a profile of the machine. */
export async function measureLive(backend: LoadedBackend, options: MeasureOptions): Promise<LiveMeasurements> {
  const { shape, batch, clock } = options;
  const { tf } = backend;
  const probing = (from: number): ProbeOptions => ({
    warmUpRounds: 3,
    roundsMin: 15,
    roundsMax: 400,
    seconds: options.seconds,
    clock,
    onProgress: (share) => options.onProgress?.(from + share / 2),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const shapes = [
    shape,
    ...fetchWidths.map((share) => ({ ...shape, width: Math.max(1, Math.round(shape.width * share)) })),
  ];
  const banks = shapes.map((of, i) => createBank(of, Math.min(setsMax, i === 0 ? options.residentExperts : 8), "host"));
  const groups: ExpertProbes[] = shapes.map((of, i) =>
    expertProbes(tf, banks[i]!, of, {
      batch,
      expertsPerCall: options.expertsPerCall,
      rows: i === 0 ? rowsMeasured.filter((rows) => rows <= batch) : [1],
      resident: i === 0 ? options.residentExperts : Math.min(options.residentExperts, 8),
      clock,
    }),
  );
  const samples = await sampleProbes(
    groups.flatMap(({ probes }) => probes),
    probing(0),
  ).finally(() => {
    for (const group of groups) group.dispose();
    for (const bank of banks) bank.close();
  });
  let at = 0;
  const read = groups.map((group) => {
    const own = samples.slice(at, at + group.probes.length);
    at += group.probes.length;
    return group.read(own);
  });
  const device = deviceProbes(tf, productSizes(shape, batch), clock);
  const deviceSamples = await sampleProbes(device.probes, { ...probing(0.5), roundsMax: 60 }).finally(device.dispose);
  const blocks = [...new Set([65_536, 1 << 20, 4 << 20, expertBytes(shape)])].sort((a, b) => a - b);
  const disk =
    options.diskFolder === null
      ? { disk: [], diskNote: "not asked for" }
      : measureDisk(blocks, clock, options.diskFolder);
  const [own] = read;
  return {
    backend: {
      id: backend.id,
      device: backend.device,
      hardware: backend.hardware,
      memoryBytes: backend.memoryBytes ?? totalmem(),
      versions: backend.versions,
    },
    date: options.date,
    hostBytes: totalmem(),
    shape,
    tokens: batch,
    step: own!.step,
    layer: own!.layer,
    experts: own!.experts,
    fetches: shapes.map((of, i) => ({ bytes: expertBytes(of), shape: of, ...read[i]!.fetch })),
    ...device.read(deviceSamples),
    ...disk,
  };
}

/** The router's product, the expert's two, and squares in between for a profile of the machine. */
function productSizes({ hidden, width, experts }: LiveShape, batch: number): ProductSize[] {
  const of = (tokens: number, inputWidth: number, outputWidth: number) => ({ tokens, inputWidth, outputWidth });
  const rows = [...new Set([1, batch, 16, 128])].sort((a, b) => a - b);
  return [
    ...rows.flatMap((tokens) => [
      of(tokens, hidden, experts),
      of(tokens, hidden, 2 * width),
      of(tokens, width, hidden),
    ]),
    ...[128, 256, 512].map((side) => of(side, side, side)),
  ];
}
