import { type ExitCode, exitCodes, formatProblem } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { checkProfile } from "../hardware/check.ts";
import { hardwareList, hardwareShow } from "../hardware/describe.ts";
import { parseDeviceProfile } from "../hardware/profile-schema.ts";
import { deviceIds, deviceProfileNamed, engineIds, engineNamed, nodeNamed, systemIds } from "../hardware/systems.ts";
import { textTable } from "../report/text-table.ts";
import { processIo } from "./io.ts";

export function listHardware(json: boolean): void {
  const io = processIo(true);
  const rows = hardwareList();
  if (json) io.out(`${JSON.stringify(rows, null, 2)}\n`);
  else
    io.out(
      `${textTable(
        rows.map((row) => [row.type, row.id, row.name, row.summary]),
        [],
        "",
      ).join("\n")}\n`,
    );
}

export function showHardware(id: string, json: boolean): void {
  const io = processIo(true);
  const rows = hardwareShow(id);
  if (json) io.out(`${JSON.stringify(rows, null, 2)}\n`);
  else
    io.out(
      `${textTable(
        rows.map((row) => [row.at, row.text, row.kind, row.source]),
        ["left", "right"],
        "",
      ).join("\n")}\n`,
    );
}

/** Checks files given, or everything shipped; lists every problem and returns exit 3 if there is one. */
export async function checkHardware(files: readonly string[]): Promise<ExitCode> {
  const io = processIo(true);
  const profiles =
    files.length === 0
      ? deviceIds.map((id) => ({ name: id, profile: deviceProfileNamed(id) }))
      : await Promise.all(
          files.map(async (file) => {
            const json = parseJson(await io.readText(file), file);
            return { name: file, profile: parseDeviceProfile(json, file) };
          }),
        );
  let problems = 0;
  for (const { name, profile } of profiles) {
    const found = checkProfile(profile);
    problems += found.length;
    for (const problem of found) io.err(`${formatProblem({ file: name, ...problem })}\n`);
  }
  if (files.length === 0) {
    // Resolving throws for a reference that leads nowhere.
    for (const id of systemIds) nodeNamed(id);
    for (const id of engineIds) engineNamed(id);
    io.out(`${profiles.length} devices, ${systemIds.length} systems, ${engineIds.length} engines checked, `);
  } else io.out(`${profiles.length} profiles checked, `);
  io.out(`${problems} problems\n`);
  return problems === 0 ? exitCodes.ok : exitCodes.invalidInput;
}
