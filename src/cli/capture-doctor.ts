import { type Diagnosis, diagnose } from "../capture/backends/doctor.ts";
import { type ExitCode, exitCodes } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { formatBytes, formatNumber } from "../core/units.ts";
import { textTable } from "../report/text-table.ts";
import type { Io } from "./io.ts";

/** Says of every backend whether it works here. Exit code 4 when none does. */
export async function captureDoctor(io: Io, json: boolean): Promise<ExitCode> {
  const backends = await diagnose();
  io.out(json ? jsonDocument({ backends }) : `${backendTable(backends, io)}\n`);
  return backends.some(({ working }) => working !== null) ? exitCodes.ok : exitCodes.infeasible;
}

/** Backends with what they run on, and below it why some do not work. */
export function backendTable(backends: readonly Diagnosis[], io: Io): string {
  const head = ["backend", "state", "device", "GFLOP/s", "memory", "packages"].map(io.style.bold);
  const rows = backends.map(({ id, working, place }) => [
    id,
    working === null ? io.style.bad("not usable") : io.style.good("works"),
    working === null ? "" : `${working.device}${working.hardware === "software" ? " (emulated)" : ""}`,
    working === null ? "" : formatNumber(working.gigaflopsPerSecond, 3),
    working?.memoryBytes == null ? "" : formatBytes(working.memoryBytes),
    place ?? "not installed",
  ]);
  const table = textTable([head, ...rows], { align: ["left", "left", "left", "right", "right", "left"] });
  const problems = backends.flatMap(({ problem }) => (problem === null ? [] : [problem]));
  return [...table, ...problems].join("\n");
}
