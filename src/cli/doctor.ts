import { type ExitCode, exitCodes } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { wrap } from "../report/text-table.ts";
import { backendTable } from "./capture-doctor.ts";
import type { Finding } from "./doctor/check.ts";
import { checks } from "./doctor/checks.ts";
import { type Io, processIo } from "./io.ts";
import { activityLine } from "./progress.ts";

export interface DoctorOptions {
  readonly backends?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Looks at what moecast needs of this machine and what it could use. Exit code 4 where forecasts do not work. */
export async function doctor(options: DoctorOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const activity = options.quiet === true ? null : activityLine(io, "doctor");
  const found: Record<string, readonly Finding[]> = {};
  for (const [name, { title, look }] of Object.entries(checks)) {
    activity?.say(title);
    found[name] = await look();
  }
  const examined = options.backends === true ? await (await import("../capture/backends/doctor.ts")).diagnose() : null;
  activity?.clear();
  const works = Object.values(found).every((findings) => findings.every(({ state }) => state !== "problem"));
  if (options.json === true)
    io.out(jsonDocument({ works, checks: found, ...(examined === null ? {} : { backends: examined }) }));
  else
    io.out(
      [
        ...report(found, works, io),
        ...(examined === null ? [] : ["", io.style.bold("Backends"), backendTable(examined, io)]),
        "",
      ].join("\n"),
    );
  return works ? exitCodes.ok : exitCodes.infeasible;
}

const marks = { ok: "ok", note: "note", problem: "FAIL" } as const satisfies Record<Finding["state"], string>;

function report(found: Readonly<Record<string, readonly Finding[]>>, works: boolean, io: Io): string[] {
  const { good, warn, bad, bold } = io.style;
  const paint = { ok: good, note: warn, problem: bad } as const;
  const topicWidth = Math.max(...Object.values(found).flatMap((all) => all.map(({ topic }) => topic.length)));
  const line = ({ topic, state, text, advice }: Finding): string[] => {
    const head = `  ${paint[state](marks[state])}${" ".repeat(4 - marks[state].length)}  ${topic.padEnd(topicWidth)}  `;
    const margin = " ".repeat(10 + topicWidth);
    const room = (io.width ?? Number.POSITIVE_INFINITY) - margin.length;
    const lines = [...wrap(oneLine(text), room), ...(advice === undefined ? [] : wrap(`-> ${oneLine(advice)}`, room))];
    return lines.map((part, i) => (i === 0 ? head : margin) + part);
  };
  const sections = Object.entries(found).flatMap(([name, all]) => [
    bold(checks[name as keyof typeof checks].title),
    ...all.flatMap(line),
    "",
  ]);
  return [...sections, works ? good("forecasts work here") : bad("forecasts do not work here: see FAIL above")];
}
