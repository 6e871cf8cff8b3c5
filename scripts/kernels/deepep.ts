import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { farBytes, nearBytes } from "../../src/hardware/cost/exchange.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import type { ExchangeOp } from "../../src/hardware/op.ts";
import { percent, row } from "./text.ts";

/** NVLink of the H800, per direction: half of its 400 GB/s. */
const nearUsPerByte = 1 / 200e3;
/** What the published low-latency runs sent: 128 tokens a rank of DeepSeek-V3, dispatch in fp8, combine in bf16. */
const published = { tokens: 128, hidden: 7168, topK: 8, experts: 256, ranksPerNode: 8 } as const;
const errorMax = 0.1;

type Direction = ExchangeOp["kind"];
interface Point {
  readonly ranks: number;
  readonly us: number;
  readonly near: number;
  readonly far: number;
}

/**
 * DeepEP's published latencies against a fixed time, one per peer, and the longer of the bytes inside the node over NVLink
 * and those between nodes, which overlap. Three figures are fitted on all points, and with each point left out; NVLink's
 * rate is the nominal one, since the one point inside a node cannot tell it from the fixed time. Returns the points beyond
 * the bound.
 */
export function checkDeepEp(file: string): string[] {
  const rows = parse(readFileSync(file, "utf8"), { columns: true }) as Record<string, string>[];
  const problems: string[] = [];
  console.log("\nDeepEP low latency, published (H800 and CX7), us");
  row(["direction, ranks", "measured", "forecast", "error", "left out"]);
  for (const kind of ["dispatch", "combine"] as const) {
    const points = rows.filter((cells) => cells["kind"] === "lowlat").map((cells) => pointOf(cells, kind));
    const all = fitted(points);
    for (const point of points) {
      const rest = fitted(points.filter((other) => other !== point));
      const error = forecast(all, point) / point.us - 1;
      row([
        `${kind} EP${point.ranks}`,
        point.us.toFixed(0),
        forecast(all, point).toFixed(0),
        percent(error),
        percent(forecast(rest, point) / point.us - 1),
      ]);
      if (!(Math.abs(error) <= errorMax)) problems.push(`DeepEP ${kind} EP${point.ranks} is off by ${percent(error)}`);
    }
    const [fixed, perPeer, far] = all;
    console.log(
      `  ${kind}: ${fixed.toFixed(1)} us + ${perPeer.toFixed(3)} us a peer; 200 GB/s in a node, ${rate(far)} between nodes`,
    );
  }
  printNormalMode(rows);
  return problems;
}

/** Line rate of a CX7, GB/s. */
const lineRate = 50;

/**
 * Published bandwidths of normal mode, which are not smooth in the number of ranks, against two rates: in a node the
 * share of NVLink that the H100 map gives, on the H800's link; between nodes the line rate.
 */
function printNormalMode(rows: readonly Readonly<Record<string, string>>[]): void {
  const node = nodeNamed("h100-sxm-8");
  const model = new CostModel(node.device, node, "sglang");
  console.log("\nDeepEP normal mode, published, GB/s");
  row(["direction, ranks", "measured", "forecast", "error"]);
  for (const kind of ["dispatch", "combine"] as const)
    for (const cells of rows.filter((candidate) => candidate["kind"] === "normal")) {
      const ranks = Number(cells["ep"]);
      const op = { ...exchange(kind, ranks), mode: "normal", tokens: 4096 } as const;
      const logicalBytes = (nearBytes(op) * op.ranks) / (op.ranks - 1);
      const inNode =
        logicalBytes / model.opNs(op) / ((node.device.scaleUp?.bytesPerSecond ?? NaN) * nearUsPerByte * 1e-6);
      const expected = ranks <= published.ranksPerNode ? inNode : lineRate;
      const measured = Number(cells[`${kind}_GBs`]);
      row([`${kind} EP${ranks}`, String(measured), expected.toFixed(0), percent(expected / measured - 1)]);
    }
}

function exchange(kind: Direction, ranks: number): ExchangeOp {
  const bytesPerValue = kind === "dispatch" ? 1 + 4 / 128 : 2;
  return { ...published, kind, library: "deepep", mode: "lowLatency", ranks, bytesPerValue };
}

/** Microseconds per byte as GB/s. */
const rate = (usPerByte: number): string => `${(1e-3 / usPerByte).toFixed(1)} GB/s`;

function pointOf(cells: Readonly<Record<string, string>>, kind: Direction): Point {
  const ranks = Number(cells["ep"]);
  const op = exchange(kind, ranks);
  return { ranks, us: Number(cells[`${kind}_us`]), near: nearBytes(op), far: farBytes(op) };
}

type Coefficients = readonly [fixedUs: number, usPerPeer: number, farUsPerByte: number];

function forecast([fixed, perPeer, far]: Coefficients, point: Point): number {
  return fixed + perPeer * (point.ranks - 1) + (point.far > 0 ? far * point.far : nearUsPerByte * point.near);
}

/** Least squares in the relative error. */
function fitted(points: readonly Point[]): Coefficients {
  const rows = points.map(({ us, ranks, far }) => [1 / us, (ranks - 1) / us, far / us]);
  const targets = points.map(({ us, near, far }) => 1 - (far > 0 ? 0 : (nearUsPerByte * near) / us));
  const normal = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => rows.reduce((sum, r) => sum + (r[i] ?? 0) * (r[j] ?? 0), 0)),
  );
  const right = [0, 1, 2].map((i) => rows.reduce((sum, r, point) => sum + (r[i] ?? 0) * (targets[point] ?? 0), 0));
  return solve3(normal, right);
}

/** Cramer's rule. */
function solve3(m: readonly (readonly number[])[], b: readonly number[]): Coefficients {
  const determinant = (a: readonly (readonly number[])[]): number => {
    const at = (i: number, j: number) => a[i]?.[j] ?? NaN;
    return (
      at(0, 0) * (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)) -
      at(0, 1) * (at(1, 0) * at(2, 2) - at(1, 2) * at(2, 0)) +
      at(0, 2) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0))
    );
  };
  const whole = determinant(m);
  const replaced = (column: number) => m.map((r, i) => r.map((value, j) => (j === column ? (b[i] ?? NaN) : value)));
  return [determinant(replaced(0)) / whole, determinant(replaced(1)) / whole, determinant(replaced(2)) / whole];
}
