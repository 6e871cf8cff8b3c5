import { join } from "node:path";
import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { oneLine } from "../core/printable.ts";
import { headline } from "../report/headline.ts";
import { programWords, shellWord } from "./init/called.ts";
import { type MadeScenario, makeScenario } from "./init/make.ts";
import { scenarioText } from "./init/scenario-text.ts";
import { dependencyLink, schemaLink } from "./init/schema-link.ts";
import { engineOf, modelOf, systemOf } from "./init/site.ts";
import type { Choice, NewFile, Template } from "./init/template.ts";
import { type TemplateName, templates } from "./init/templates.ts";
import { askFor, nameProblem, type Said } from "./init/wizard.ts";
import { refuseTaken, writeTogether } from "./init/write-together.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, type Io, processIo } from "./io.ts";
import { activityLine } from "./progress.ts";

export interface InitOptions extends Said {
  readonly engine?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

/** Whether there is someone to ask. */
const isInteractive = (io: Io): boolean =>
  process.stdin.isTTY === true && io.progress && process.env["TERM"] !== "dumb";

/** Makes a scenario that runs, writes it and what goes with it, and says what to do next. */
export async function init(dir: string, options: InitOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const checked = checkedWords(options);
  const said = options.yes === true || !isInteractive(io) ? checked : await asked(checked);
  if (said === null) return exitCodes.interrupted;
  const name: TemplateName = said.template ?? "chat";
  const template: Template = templates[name];
  const choice: Choice = {
    model: said.model ?? template.defaults.model,
    system: systemOf(said.hardware ?? template.defaults.system),
    engine: options.engine ?? null,
    ratePerSecond: said.rate ?? null,
    name: said.name ?? template.defaults.name,
  };
  const folder = template.folder ?? "";
  const path = join(folder, `${choice.name}.yaml`);
  const link = template.isDependency === true ? dependencyLink(folder) : await schemaLink(dir, folder, io);
  const beside = template.beside?.(path) ?? [];
  const schema = link.missing === null ? [] : [link.missing];
  await refuseTaken(dir, [{ path }, ...beside], options.force === true);
  const made = await tried(io, name, template, choice, options.quiet === true);
  if (made === null) return exitCodes.interrupted;
  const files: NewFile[] = [
    { path, text: scenarioText(name, template, made.made, link.path) },
    ...beside,
    ...(await Promise.all(schema.map(async (file) => ({ path: file, text: await schemaText() })))),
  ];
  await writeTogether(dir, files);
  io.out(report(dir, files, made, template, path, io));
  return exitCodes.ok;
}

/** Options that name something name something that there is. */
function checkedWords(options: InitOptions): Said {
  const { template, model, hardware, engine, rate, name } = options;
  if (engine !== undefined) engineOf(engine);
  if (hardware !== undefined) systemOf(hardware);
  const problem = name === undefined ? null : nameProblem(name);
  if (problem !== null) throw new UsageError(`--name: ${problem}, found "${oneLine(name ?? "").slice(0, 100)}"`);
  return {
    ...(template === undefined ? {} : { template }),
    ...(model === undefined ? {} : { model: modelOf(model) }),
    ...(hardware === undefined ? {} : { hardware }),
    ...(rate === undefined ? {} : { rate }),
    ...(name === undefined ? {} : { name }),
  };
}

async function asked(said: Said): Promise<Said | null> {
  const { terminalPrompts } = await import("./init/prompts.ts");
  const prompts = terminalPrompts();
  prompts.begin("moecast init: a scenario to begin with");
  const all = await askFor(said, prompts);
  if (all === null) prompts.left("left: nothing is written");
  else prompts.end(`the same without questions: ${programWords()} init ${flagsOf(all).join(" ")} --yes`);
  return all;
}

const flagsOf = (said: Said): string[] =>
  Object.entries(said).flatMap(([option, value]) => [`--${option}`, shellWord(String(value))]);

/** Null where it was interrupted. */
async function tried(
  io: Io,
  name: TemplateName,
  template: Template,
  choice: Choice,
  quiet: boolean,
): Promise<MadeScenario | null> {
  const watch = watchInterrupts(io);
  const activity = quiet ? null : activityLine(io, "init");
  try {
    return await makeScenario(name, template, choice, {
      reader: fileReader(io),
      signal: watch.signal,
      say: (doing) => activity?.say(doing),
    });
  } catch (error) {
    if (watch.ended(error)) return null;
    throw error;
  } finally {
    activity?.clear();
    watch.stop();
  }
}

/** The schema without its indentation, which doubles its size. */
async function schemaText(): Promise<string> {
  const { scenarioJsonSchema } = await import("../scenario/json-schema.ts");
  return `${JSON.stringify(scenarioJsonSchema())}\n`;
}

function report(
  dir: string,
  files: readonly NewFile[],
  { forecast, made }: MadeScenario,
  template: Template,
  path: string,
  { style }: Io,
): string {
  const next = [...programWords().split(" "), ...template.first(join(dir, path)).map(shellWord)].join(" ");
  return [
    ...files.map((file) => `written  ${join(dir, file.path)}`),
    "",
    `${made.site.spec.name} under ${made.site.engine} on ${made.site.systemName}: ${made.draft.title}`,
    headline(forecast),
    "",
    `next  ${style.bold(next)}`,
    "",
  ].join("\n");
}
