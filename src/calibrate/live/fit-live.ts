import { type NominalRates, nominalRates } from "../../hardware/cost/mapped.ts";
import { CostModel } from "../../hardware/cost.ts";
import type { Node } from "../../hardware/device.ts";
import type { KernelMap } from "../../hardware/kernel-maps.ts";
import type { GemmOp, GroupedGemmOp, Op } from "../../hardware/op.ts";
import type { DeviceProfile } from "../../hardware/profile-schema.ts";
import { parseDeviceProfile } from "../../hardware/read-profiles.ts";
import { resolveDevice } from "../../hardware/resolve.ts";
import type { CalibrationFamily } from "../maps/families/family.ts";
import { calibrationFamilies } from "../maps/families.ts";
import { fitMap, splitRule } from "../maps/fit-map.ts";
import { rounded } from "../maps/knots.ts";
import type { LiveMeasurements } from "../measured/live-measurements.ts";
import { type FittedLink, fitLink, fitLinkThrough } from "./fit-link.ts";
import { liveDevice } from "./live-device.ts";
import { liveEngine } from "./live-engine.ts";
import { expertOp, productOp } from "./live-ops.ts";
import type { LiveProfile } from "./live-profile.ts";

/**
 * Fits profiles to what was measured of a machine: kernel maps of products and of experts, links, fixed times of a layer and
 * of a step. The measured experts include what the runtime does around them, so a forecast adds nothing for that.
 */
export function fitLive(measurements: LiveMeasurements): LiveProfile {
  const { experts, fetches, products, copies, disk, hostMemory } = measurements;
  const [own, ...others] = fetches;
  const fetch = (own === undefined ? null : fitLinkThrough(own, others)) ?? noLink;
  const bare = liveDevice(measurements, fetch, null);
  const rates = nominalRates(resolveDevice(bare));
  const maps = [
    mapOf(
      "gemm",
      products.map((row) => ({ op: productOp(row), row })),
      rates,
      measurements,
    ),
    mapOf(
      "groupedGemm",
      experts.map((row) => ({ op: expertOp(measurements.shape, row.rows, 1), row })),
      rates,
      measurements,
    ),
  ];
  const device: DeviceProfile = parseDeviceProfile({ ...bare, kernels: { device: bare.id, maps } }, bare.id);
  const resolved = resolveDevice(device);
  const node: Node = { device: resolved, devicesPerNode: 1, tiers: [] };
  const cost = new CostModel(resolved, node);
  const fixed = (total: number, op: GemmOp) => Math.max(0, total - cost.opNs(op));
  const { hidden, experts: count } = measurements.shape;
  const router = productOp({ tokens: measurements.tokens, inputWidth: hidden, outputWidth: count });
  const head = productOp({ tokens: measurements.tokens, inputWidth: hidden, outputWidth: 1 });
  const engine = liveEngine(measurements, {
    layerNs: fixed(measurements.layer.ns, router),
    stepNs: fixed(measurements.step.ns, head),
  });
  const ofCache = (cache: "warm" | "cold") => fitLink(disk.filter((row) => row.cache === cache));
  const ofDirection = (direction: "hostToDevice" | "deviceToHost") =>
    fitLink(copies.filter((row) => row.direction === direction));
  return {
    measurements,
    device,
    engine,
    links: {
      fetch,
      hostToDevice: ofDirection("hostToDevice"),
      deviceToHost: ofDirection("deviceToHost"),
      diskWarm: ofCache("warm"),
      diskCold: ofCache("cold"),
      hostMemory: fitLink([{ bytes: 2 * hostMemory.bytes, ns: hostMemory.ns }]) ?? noLink,
    },
  };
}

/** Where nothing could be timed, a transfer takes no time. */
const noLink: FittedLink = { latencyNs: 0, bytesPerSecond: Number.MAX_SAFE_INTEGER, meanError: 0 };

interface MapRow {
  readonly op: Op;
  readonly row: { readonly ns: number };
}

function mapOf(
  family: "gemm" | "groupedGemm",
  rows: readonly MapRow[],
  rates: NominalRates,
  { backend, date }: LiveMeasurements,
): KernelMap {
  const { shape, axes } = calibrationFamilies[family] as CalibrationFamily;
  const ops = rows.map(({ op }) => op);
  // The rows that were measured are the knots of the experts; in between, and for products, the fit is smooth.
  const own = family === "groupedGemm" ? measuredAxes(shape.axes, ops) : axes(ops);
  const samples = rows.map(({ op, row }) => ({
    coordinates: shape.axes.map((axis) => axis.of(op)),
    idealNs: shape.idealNs(op, rates),
    // What took no longer than waiting for it reaches the ideal.
    ns: row.ns > 0 ? row.ns : shape.idealNs(op, rates),
    weight: 1,
    shape: shape.axes.map((axis) => axis.of(op)).join(" "),
  }));
  const judged = fitMap(samples, own, { launchNs: [0, 0], smoothing: 1e-3 });
  return {
    family,
    format: "fp32",
    launchNs: 0,
    axes: judged.map.axes,
    efficiency: judged.map.efficiency.map((share) => Math.min(1, rounded(share))),
    fit: {
      tables: [{ name: `live ${backend.id}`, version: backend.versions["@tensorflow/tfjs-core"] ?? "unknown" }],
      date,
      split: splitRule,
      rows: judged.rows,
      shapes: judged.shapes,
      fitError: judged.fitError,
      heldOutError: judged.heldOutError,
    },
  };
}

/** Every value that occurs on an axis is a knot. */
function measuredAxes(axes: CalibrationFamily["shape"]["axes"], ops: readonly Op[]): KernelMap["axes"] {
  return axes.map(({ name, of }) => ({
    name,
    knots: [...new Set(ops.map((op) => of(op as GroupedGemmOp)))].sort((a, b) => a - b),
  }));
}
