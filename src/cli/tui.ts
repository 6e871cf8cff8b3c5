import { existsSync } from "node:fs";
import { type ExitCode, exitCodes, refuse } from "../core/errors.ts";
import { textTable } from "../report/text-table.ts";
import { processIo } from "./io.ts";

export interface TuiOptions {
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly results?: string;
  readonly keys?: string;
  readonly ascii?: boolean;
  readonly screenReader?: boolean;
  readonly plain?: boolean;
  readonly tui: boolean;
  readonly json?: boolean;
}

/** Whether there is somebody who sees screens and presses keys. */
const hasScreen = ({ plain, tui, json }: TuiOptions): boolean =>
  process.stdin.isTTY === true &&
  process.stdout.isTTY === true &&
  !process.env["CI"] &&
  plain !== true &&
  tui &&
  json !== true;

/** What nobody waits for any more keeps the process so long. */
const unheardMs = 20;

/** Shows the screens until somebody leaves them; where nobody sees any, says the same in lines. Returns the exit code. */
export async function tui(file: string | undefined, options: TuiOptions, colour: boolean): Promise<ExitCode> {
  return hasScreen(options) ? screens(file, options, colour) : lines(file, options, colour);
}

async function screens(file: string | undefined, options: TuiOptions, colour: boolean): Promise<ExitCode> {
  // React records every render where it is not told that nobody debugs it.
  process.env["NODE_ENV"] = "production";
  const io = processIo(colour);
  // What is wrong with a file that is not there is known before the screens: its reader says it.
  if (file !== undefined && !existsSync(file)) await io.readText(file);
  const { Session } = await import("../tui/session.ts");
  const { lookFor } = await import("../tui/terminal/look.ts");
  const { defaultResultsFolder } = await import("../tui/library/results-folder.ts");
  const { plainPalette } = await import("../report/widgets/palette.ts");
  const reader = options.screenReader === true || process.env["INK_SCREEN_READER"] === "true";
  const palette = reader ? plainPalette : lookFor({ allowed: colour, ascii: options.ascii === true }, process.env);
  const session = new Session({
    folder: process.cwd(),
    resultsFolder: options.results ?? defaultResultsFolder(process.env),
    keys: await readKeys(options.keys),
    palette,
    reader,
    begin: file === undefined ? null : { kind: file.endsWith(".json") ? "document" : "scenario", file },
    settings: options.set ?? [],
    read: async (path, settings, params = {}) => {
      const { readJobBase } = await import("./job-base.ts");
      const { isTerminal } = await import("../files/terminals.ts");
      if (await isTerminal(path)) refuse({ file: path, expected: "a file, not the terminal that keys come from" });
      const param = [...Object.entries(params).map(([name, value]) => `${name}=${value}`), ...(options.param ?? [])];
      return readJobBase(io, path, { settings, param }, new AbortController().signal);
    },
  });
  const code = await session.run();
  // A file that was waited for may never come.
  setTimeout(() => process.exit(), unheardMs).unref();
  return code;
}

async function readKeys(file: string | undefined) {
  if (file === undefined) return new Map<string, readonly string[]>();
  const { readKeyMap } = await import("../tui/keys/key-file.ts");
  const { screens: all } = await import("../tui/screens/screens.ts");
  const { localFiles } = await import("../files/local-files.ts");
  return readKeyMap(await localFiles.readText(file), file, all);
}

/** A plan as `moecast plan` shows it, a saved result as `moecast run` does. */
async function documentLines(file: string, { json }: TuiOptions, colour: boolean): Promise<ExitCode> {
  const { openDocument } = await import("../tui/library/open-document.ts");
  const opened = await openDocument(file);
  const io = processIo(colour);
  if (opened.kind === "result") {
    const { jsonExport } = await import("../report/json.ts");
    const { terminalSummary } = await import("../report/terminal.ts");
    const { forecast } = opened;
    io.out(json === true ? jsonExport.render([forecast]) : terminalSummary(forecast, io.style, "standard", io.width));
    return exitCodes.ok;
  }
  const { jsonDocument } = await import("../core/json.ts");
  const { terminalPage } = await import("../report/page-terminal.ts");
  const { planPage } = await import("../report/plan-page.ts");
  const { document } = opened.plan;
  if (json === true) io.out(jsonDocument(document));
  else io.out(terminalPage(planPage(document), io.style, io.width));
  return exitCodes.ok;
}

/** A run as by `moecast run`, or the list of what could be run. */
async function lines(file: string | undefined, options: TuiOptions, colour: boolean): Promise<ExitCode> {
  if (file?.endsWith(".json")) return documentLines(file, options, colour);
  if (file !== undefined) {
    const { run } = await import("./run.ts");
    const { set = [], param = [], json = false } = options;
    return run([file], { set, param, json, summary: "standard", thresholds: true, advice: true }, colour);
  }
  const io = processIo(colour);
  const { listLibrary } = await import("../tui/library/list-library.ts");
  const { readLibrary } = await import("../tui/library/read-library.ts");
  const { defaultResultsFolder } = await import("../tui/library/results-folder.ts");
  const folder = process.cwd();
  const results = options.results ?? defaultResultsFolder(process.env);
  const library = await readLibrary(await listLibrary(folder), folder, results);
  if (options.json === true) io.out(`${JSON.stringify(library, null, 2)}\n`);
  else
    io.out(
      `${textTable(
        [
          ...library.scenarios.map(({ file: path, description, name }) => [
            "scenario",
            path,
            description ?? name ?? "",
          ]),
          ...library.plans.map(({ file: path, text }) => ["plan", path, text ?? ""]),
          ...library.results.map(({ file: path, headline }) => ["saved", path, headline]),
        ],
        io.width === undefined ? {} : { width: io.width },
      ).join("\n")}\n`,
    );
  return exitCodes.ok;
}
