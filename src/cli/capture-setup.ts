import { diagnoseBackend } from "../capture/backends/doctor.ts";
import { setUpBackend } from "../capture/backends/setup.ts";
import { type ExitCode, exitCodes } from "../core/errors.ts";
import { formatNumber } from "../core/units.ts";
import type { Io } from "./io.ts";

/** Installs what a backend needs and tries it. Exit code 4 when it does not work afterwards. */
export async function captureSetup(io: Io, id: string): Promise<ExitCode> {
  const { folder, present } = await setUpBackend(id, (line) => io.err(`${line}\n`));
  io.out(present ? `${id}: its packages are there: ${folder}\n` : `${id}: installed in ${folder}\n`);
  const { working, problem } = await diagnoseBackend(id);
  if (working === null) {
    io.err(`${problem ?? `${id} does not work`}\n`);
    return exitCodes.infeasible;
  }
  io.out(`${id}: works on ${working.device}, ${formatNumber(working.gigaflopsPerSecond, 3)} GFLOP/s\n`);
  return exitCodes.ok;
}
