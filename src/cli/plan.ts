import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type ExitCode, exitCodes } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { type FolderLock, lockFolder } from "../files/folder-lock.ts";
import type { PlanDocument } from "../plan/answer/plan-document.ts";
import { splitValues } from "../plan/design/read-design.ts";
import { JobThreads } from "../plan/execute/job-threads.ts";
import { KeptTables } from "../plan/execute/kept-tables.ts";
import { makeFolder } from "../plan/files/folder.ts";
import { writePlan } from "../plan/files/write-plan.ts";
import { scenarioOf } from "../plan/job/job-policies.ts";
import { Journal } from "../plan/journal/journal.ts";
import { makePlan } from "../plan/make-plan.ts";
import { planQuestion } from "../plan/space/question.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { planPage } from "../report/plan-page.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, processIo } from "./io.ts";
import { readJobBase } from "./job-base.ts";
import { progressLine } from "./progress.ts";
import { splitPair } from "./words.ts";

export interface PlanOptions {
  readonly objective?: readonly string[];
  readonly devices?: number;
  readonly usdPerHour?: number;
  readonly power?: number;
  readonly system?: readonly string[];
  readonly engine?: readonly string[];
  readonly vary?: readonly string[];
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly baseline?: string;
  readonly exhaustive?: boolean;
  readonly day?: string | true;
  readonly hour?: number;
  readonly output?: string;
  readonly threads?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Answers the question of a scenario, and writes what was found. */
export async function plan(file: string, options: PlanOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const watch = watchInterrupts(io);
  const progress = options.quiet === true ? null : progressLine(io, file, "deployments");
  const threads = new JobThreads(options.threads ?? availableParallelism());
  let journal: Journal | null = null;
  let lock: FolderLock | null = null;
  try {
    const settings = [...(options.set ?? []), ...planSettings(options)];
    const base = await readJobBase(io, file, { settings, param: options.param, plugin: options.plugin }, watch.signal);
    const scenario = await scenarioOf(base);
    if (options.day !== undefined) {
      const { printDay } = await import("./plan-day.ts");
      return await printDay(scenario, options, { io, watch, progress });
    }
    const baseline =
      options.baseline === undefined ? null : { file: options.baseline, text: await io.readText(options.baseline) };
    const { output } = options;
    if (output !== undefined) {
      await makeFolder(output);
      lock = await lockFolder(join(output, "lock"), "plan");
      journal = await Journal.open(join(output, "journal.jsonl"));
    }
    // What layouts have in common is resolved for each: their routing is made once.
    const reader = { ...fileReader(io), tables: new KeptTables() };
    const document = await makePlan(await planQuestion(scenario), base, {
      ...reader,
      executor: threads,
      journal,
      signal: watch.signal,
      exhaustive: options.exhaustive === true,
      baseline,
      ...(progress === null ? {} : { onProgress: progress.update }),
    });
    progress?.clear();
    const written = output === undefined ? [] : await writePlan(output, document, base, reader);
    if (options.json === true) io.out(jsonDocument(document));
    else
      io.out(
        terminalPage(planPage(document, output === undefined ? null : { folder: output, written }), io.style, io.width),
      );
    return watch.signal.aborted ? watch.code() : codeOf(document);
  } catch (error) {
    progress?.clear();
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
    await journal?.close();
    await lock?.release();
    await threads.close();
  }
}

/** Options as settings of the plan section. */
function planSettings(options: PlanOptions): string[] {
  const { objective, devices, usdPerHour, power, system, engine, vary = [] } = options;
  const list = (path: string, values: readonly string[] | undefined) =>
    values === undefined ? [] : [`plan.${path}=${JSON.stringify(values)}`];
  const number = (path: string, value: number | undefined) => (value === undefined ? [] : [`plan.${path}=${value}`]);
  return [
    ...list("objectives", objective),
    ...number("budget.devices", devices),
    ...number("budget.usdPerHour", usdPerHour),
    ...number("budget.powerW", power),
    ...list("systems", system),
    ...list("engines", engine),
    ...(vary.length === 0 ? [] : [`plan.vary={${vary.map(varied).join(", ")}}`]),
  ];
}

/** `engine.maxNumSeqs=64,256` as an entry of a flow mapping. */
function varied(word: string): string {
  const [path, values] = splitPair(word, "--vary path=value,value");
  return `${JSON.stringify(path)}: [${splitValues(values).join(", ")}]`;
}

const codeOf = ({ objectives }: PlanDocument): ExitCode =>
  objectives.some(({ found }) => found.length === 0) ? exitCodes.sloFailed : exitCodes.ok;
