import type { FittedLink } from "../calibrate/live/fit-link.ts";
import { tensorMemory } from "../calibrate/live/live-device.ts";
import type { LiveProfile } from "../calibrate/live/live-profile.ts";
import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { KernelMap } from "../hardware/kernel-maps.ts";
import { type TextStyle, textTable } from "./text-table.ts";

/** What `calibrate --live` measured and fitted, as tables for a terminal. */
export function liveCalibrationText({ measurements, device, links }: LiveProfile, style: TextStyle): string {
  const memory = tensorMemory(measurements);
  const { backend, shape } = measurements;
  const head = style.bold(`${backend.id} on ${backend.device}, ${measurements.date}`);
  const maps = device.kernels as { readonly maps: readonly KernelMap[] };
  const kernels = textTable(
    [
      ["kernels", "rows", "noise", "fit mean", "held out mean", "p90"].map(style.bold),
      ...maps.maps.map(({ family, fit }) => [
        family === "gemm" ? "dense products" : `experts of ${shape.hidden} x ${shape.width}, rows of one`,
        formatCount(fit.rows),
        formatPercent(noiseOf(family === "gemm" ? measurements.products : measurements.experts), 1),
        formatPercent(fit.fitError.mean, 1),
        fit.heldOutError === null ? "too few" : formatPercent(fit.heldOutError.mean, 1),
        formatPercent((fit.heldOutError ?? fit.fitError).p90, 1),
      ]),
    ],
    { align: ["left", "right", "right", "right", "right", "right"] },
  );
  const fetchRows = measurements.fetches;
  const copies = (direction: string) => measurements.copies.filter((row) => row.direction === direction);
  const reads = (cache: string) => measurements.disk.filter((row) => row.cache === cache);
  const transfers = textTable(
    [
      ["transfers", "latency", "bandwidth", "sizes", "noise", "fit mean"].map(style.bold),
      linkRow("missing expert to the device", links.fetch, fetchRows),
      linkRow("host to device", links.hostToDevice, copies("hostToDevice")),
      linkRow("device to host", links.deviceToHost, copies("deviceToHost")),
      linkRow("disk, page cache", links.diskWarm, reads("warm")),
      linkRow("disk, past the page cache", links.diskCold, reads("cold"), measurements.diskNote),
    ],
    { align: ["left", "right", "right", "right", "right", "right"] },
  );
  const { deviceMemory, hostMemory, launch, readBack, layer, step } = measurements;
  const figures = textTable(
    [
      ["", "", "noise"].map(style.bold),
      ["peak of products, 1.05 x the highest measured", `${formatNumber(device.peak.bf16.value / 1e9, 4)} GFLOP/s`, ""],
      [
        "addition over a large tensor",
        rate((3 * deviceMemory.bytes) / deviceMemory.ns),
        formatPercent(deviceMemory.spread, 1),
      ],
      ["copy in host memory", rate((2 * hostMemory.bytes) / hostMemory.ns), formatPercent(hostMemory.spread, 1)],
      ["one operation on a few numbers", formatDuration(launch.ns), formatPercent(launch.spread, 1)],
      ["waiting for the device, one value back", formatDuration(readBack.ns), formatPercent(readBack.spread, 1)],
      ["a layer without its experts", formatDuration(layer.ns), formatPercent(layer.spread, 1)],
      ["a step apart from its layers", formatDuration(step.ns), formatPercent(step.spread, 1)],
    ],
    { align: ["left", "right", "right"] },
  );
  const guess = memory.guessed
    ? `${backend.id} does not tell how much memory the GPU has: the host's ${formatBytes(memory.bytes)} stand in device.json, correct that\n`
    : "";
  const note =
    "times are medians after warm-up; noise is the distance of the quartiles over the median, the median of the rows";
  return `${[head, "", ...kernels, "", ...transfers, "", ...figures, "", `${guess}${style.dim(note)}`].join("\n")}\n`;
}

const rate = (bytesPerNs: number): string => `${formatNumber(bytesPerNs, 3)} GB/s`;

function linkRow(
  name: string,
  link: FittedLink | null,
  rows: readonly { readonly bytes: number; readonly spread: number }[],
  note: string | null = null,
): string[] {
  if (link === null) return [name, note ?? "not measured", "", "", "", ""];
  const sizes = rows.map(({ bytes }) => bytes);
  return [
    name,
    formatDuration(link.latencyNs),
    rate(link.bytesPerSecond / 1e9),
    `${formatBytes(Math.min(...sizes))} - ${formatBytes(Math.max(...sizes))}`,
    formatPercent(noiseOf(rows), 1),
    formatPercent(link.meanError, 1),
  ];
}

function noiseOf(rows: readonly { readonly spread: number }[]): number {
  const sorted = rows.map(({ spread }) => spread).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
