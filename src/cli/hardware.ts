import { type ExitCode, exitCodes, formatProblem, refuse } from "../core/errors.ts";
import { jsonDocument, parseJson } from "../core/json.ts";
import { closest } from "../core/suggest.ts";
import { engineIds, engineNamed } from "../engine/catalogue.ts";
import { checkProfile } from "../hardware/check.ts";
import { deviceIds, deviceProfileNamed, nodeNamed, systemIds } from "../hardware/named-profiles.ts";
import { parseDeviceProfile } from "../hardware/read-profiles.ts";
import { breakEvenLines } from "../report/break-even-table.ts";
import { hardwareList, hardwareShow, profileNamed } from "../report/profile-catalogue.ts";
import { textTable } from "../report/text-table.ts";
import { type Io, processIo } from "./io.ts";

export function listHardware(json: boolean, colour: boolean): void {
  const io = processIo(colour);
  const rows = hardwareList();
  if (json) {
    io.out(jsonDocument(rows));
    return;
  }
  const headings = {
    device: ["Devices", "bf16 peak, memory, bandwidth"],
    system: ["Systems", "devices and the tiers behind them"],
    engine: ["Engines", ""],
  } as const satisfies Record<(typeof rows)[number]["type"], readonly [string, string]>;
  const sections = Object.entries(headings).map(([type, [title, note]]) => [
    io.style.bold(title) + io.style.dim(note === "" ? "" : `  ${note}`),
    ...textTable(
      rows.filter((row) => row.type === type).map((row) => [row.id, row.name, row.summary]),
      fitting(io),
    ),
  ]);
  io.out(`${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`);
}

export function showHardware(
  id: string,
  { json = false, model }: { readonly json?: boolean; readonly model?: string },
  colour: boolean,
): void {
  const io = processIo(colour);
  const known = hardwareList();
  const profile = known.find((row) => row.id === id);
  if (profile === undefined) {
    const ids = known.map((row) => row.id);
    const begun = ids.filter((other) => id.length >= 2 && other.startsWith(id.toLowerCase()));
    const near = begun.length > 0 ? begun : [closest(id, ids) ?? []].flat();
    const hint = near.length === 0 ? "moecast hardware list shows them" : `did you mean ${near.join(" or ")}?`;
    refuse({ expected: "a device, system or engine", found: id, hint });
  }
  if (model !== undefined && profile.type !== "system")
    refuse({
      at: "--model",
      expected: `a system, whose host and devices share the work: ${id} is ${profile.type === "engine" ? "an" : "a"} ${profile.type}`,
      found: id,
    });
  if (model !== undefined && json)
    refuse({ at: "--json", expected: "no JSON: with --model the terms are printed", found: "--json" });
  if (model !== undefined) {
    io.out(`${breakEvenLines(nodeNamed(id), model).join("\n")}\n`);
    return;
  }
  if (json) {
    io.out(jsonDocument(profileNamed(id)));
    return;
  }
  const rows = hardwareShow(id);
  const table = textTable(
    rows.map((row) => [row.at, row.text, row.kind === "thirdParty" ? "third party" : row.kind, row.source]),
    { align: ["left", "right"], ...fitting(io) },
  );
  const title = `${io.style.bold(profile.name)}  ${profile.type} ${profile.id}, ${profile.summary}`;
  io.out(`${[title, ...table].join("\n")}\n`);
}

/** Tables fit the terminal; written to a file or a pipe, a row stays a line. */
const fitting = ({ width }: Io) => (width === undefined ? {} : { width });

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
