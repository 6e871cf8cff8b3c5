import type { LiveMeasurements, LiveShape } from "../../calibrate/measured/live-measurements.ts";
import type { Tfjs } from "../backends/backend.ts";
import { createBank, type ExpertBank, expertBytes } from "../live/expert-bank.ts";
import { createResidency, type LiveCache } from "../live/residency.ts";
import { type ExpertProbes, expertProbes } from "./expert-probes.ts";
import { ProbeRounds } from "./probe.ts";

/** What is measured of expert layers. */
export type LayerFigures = Pick<LiveMeasurements, "step" | "layer" | "experts" | "fetches" | "noise">;

export interface LayerSetting {
  readonly shape: LiveShape;
  /** Tokens in a step. */
  readonly batch: number;
  /** Experts of a layer call, as a run has them on average. */
  readonly expertsPerCall: number;
  /** Experts kept on the device meanwhile, as many as a run keeps. */
  readonly residentExperts: number;
  /** The cache of each layer, and the experts that it keeps. */
  readonly cache: LiveCache;
  readonly slots: number;
  /** Nanoseconds of a steady clock. */
  readonly clock: () => number;
  readonly signal?: AbortSignal;
}

/** Expert layers that are being measured, round by round. */
export interface LayerMeasurement {
  readonly rounds: ProbeRounds;
  /** The figures of the rounds so far. */
  read(): LayerFigures;
  dispose(): void;
}

/** Sizes of the other experts whose fetching is measured, relative to the width of the shape's own. */
const fetchWidths = [0.25, 0.5];
const rowsMeasured = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64];
/** Experts of the other sizes on the device. */
const othersResident = 8;

/** Experts that are measured: their sizes, and how many of each are on the device. */
export function measuredExperts(
  shape: LiveShape,
  residentExperts: number,
  expertsPerCall: number,
): { readonly of: LiveShape; readonly resident: number }[] {
  // A call never meets an expert twice.
  const own = { of: shape, resident: Math.max(expertsPerCall, residentExperts) };
  const resident = Math.max(expertsPerCall, Math.min(residentExperts, othersResident));
  const width = (share: number) => Math.max(1, Math.round(shape.width * share));
  return [own, ...fetchWidths.map((share) => ({ of: { ...shape, width: width(share) }, resident }))];
}

interface Part {
  readonly of: LiveShape;
  readonly bank: ExpertBank;
  readonly group: ExpertProbes;
}

export async function measureLayers(tf: Tfjs, setting: LayerSetting): Promise<LayerMeasurement> {
  const { shape, batch, residentExperts, expertsPerCall, clock } = setting;
  const parts: Part[] = [];
  for (const [i, { of, resident }] of measuredExperts(shape, residentExperts, expertsPerCall).entries()) {
    const bank = createBank(of, resident, "host");
    const residency = createResidency(setting.cache, setting.slots, []);
    const rows = i === 0 ? rowsMeasured.filter((count) => count <= batch) : [1];
    parts.push({
      of,
      bank,
      group: await expertProbes(tf, bank, of, { batch, expertsPerCall, rows, resident, residency, clock }),
    });
  }
  const rounds = new ProbeRounds(
    parts.flatMap(({ group }) => group.probes),
    setting.signal,
  );
  return {
    rounds,
    read() {
      let at = 0;
      const read = parts.map(({ of, group }) => {
        const own = rounds.samples.slice(at, at + group.probes.length);
        at += group.probes.length;
        return { of, ...group.read(own) };
      });
      const { step, layer, experts } = read[0]!;
      const fetches = read.map(({ of, fetch }) => ({ bytes: expertBytes(of), shape: of, ...fetch }));
      return { step, layer, experts, fetches, noise: read.flatMap(({ noise }) => noise) };
    },
    dispose() {
      for (const { group, bank } of parts) {
        group.dispose();
        bank.close();
      }
    },
  };
}
