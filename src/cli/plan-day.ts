import { join } from "node:path";
import { type ExitCode, exitCodes } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { planDay } from "../plan/day/plan-day.ts";
import { dayPlanPage } from "../report/day-plan.ts";
import { terminalPage } from "../report/page-terminal.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { InterruptWatch } from "./interrupt.ts";
import { fileReader, type Io } from "./io.ts";
import type { ProgressLine } from "./progress.ts";

interface DayWords {
  readonly day?: string | true;
  /** ns */
  readonly hour?: number;
  readonly output?: string;
  readonly json?: boolean;
}

interface Watched {
  readonly io: Io;
  readonly watch: InterruptWatch;
  readonly progress: ProgressLine | null;
}

/** Plans a fleet through a day, and prints what each policy costs and misses. */
export async function printDay(
  scenario: Scenario,
  { day, hour, output, json }: DayWords,
  { io, watch, progress }: Watched,
): Promise<ExitCode> {
  const plan = await planDay(
    scenario,
    { ...(typeof day === "string" ? { trace: day } : {}), ...(hour === undefined ? {} : { hourNs: hour }) },
    {
      ...fileReader(io),
      signal: watch.signal,
      ...(progress === null ? {} : { onProgress: progress.update }),
    },
  );
  progress?.clear();
  if (output !== undefined) await io.writeText(join(output, "day.json"), jsonDocument(plan));
  if (json === true) io.out(jsonDocument(plan));
  else io.out(terminalPage(dayPlanPage(plan), io.style, io.width));
  return watch.signal.aborted ? watch.code() : exitCodes.ok;
}
