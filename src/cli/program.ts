import { Command } from "commander";
import { oneLine } from "../core/printable.ts";
import { version } from "../core/version.ts";
import { abouts, type CommandName } from "./abouts.ts";
import type { CommandRegistration, SetExitCode } from "./command.ts";
import { helpBelow, helpItem, helpWidth } from "./help-text.ts";
import { refineCommand } from "./refinement.ts";

/** The commands, each in a module of its own: one is loaded without the others. */
const commands: Readonly<Record<CommandName, () => Promise<CommandRegistration>>> = {
  init: async () => (await import("./init-command.ts")).initCommand,
  run: async () => (await import("./run-command.ts")).runCommand,
  tui: async () => (await import("./tui-command.ts")).tuiCommand,
  compare: async () => (await import("./compare-command.ts")).compareCommand,
  explain: async () => (await import("./explain-command.ts")).explainCommand,
  offload: async () => (await import("./offload-command.ts")).offloadCommand,
  place: async () => (await import("./place-command.ts")).placeCommand,
  plan: async () => (await import("./plan-command.ts")).planCommand,
  sweep: async () => (await import("./sweep-command.ts")).sweepCommand,
  worker: async () => (await import("./worker-command.ts")).workerCommand,
  calibrate: async () => (await import("./calibrate-command.ts")).calibrateCommand,
  report: async () => (await import("./report-command.ts")).reportCommand,
  validate: async () => (await import("./validate-command.ts")).validateCommand,
  trace: async () => (await import("./trace-command.ts")).traceCommand,
  capture: async () => (await import("./capture-command.ts")).captureCommand,
  hardware: async () => (await import("./hardware-command.ts")).hardwareCommand,
  model: async () => (await import("./model-command.ts")).modelCommand,
  map: async () => (await import("./map-command.ts")).mapCommand,
  comment: async () => (await import("./comment-command.ts")).commentCommand,
  doctor: async () => (await import("./doctor-command.ts")).doctorCommand,
  completion: async () => (await import("./completion-command.ts")).completionCommand,
  schema: async () => (await import("./schema-command.ts")).schemaCommand,
};

const below = helpBelow({
  notes: [
    "Begin with a scenario file: docs/getting-started.md leads through one, and scenarios/ has more. Every command has its own --help.",
    "Exit codes: 0 ok, 1 internal error, 2 usage or an output that cannot be written, 3 invalid input, 4 infeasible, 5 solver limit, 99 SLO or regression failed, 130 interrupted and 143 terminated (partial results kept).",
  ],
  examples: ["run scenarios/quickstart.yaml", "hardware list", "model show qwen3-30b-a3b", "run --help"],
});

const isCommand = (word: string): word is CommandName => Object.hasOwn(commands, word);

/** The command that the words of a command line, or of `help`, name; null where they name none. */
function namedBy(words: readonly string[]): CommandName | null {
  const [first = "", second = ""] = words.filter((word) => !word.startsWith("-"));
  const name = first === "help" ? second : first;
  return isCommand(name) ? name : null;
}

/**
 * The program with the command that these words name; where they name none, with the names of all and what they do, for help and
 * for suggestions. Without words all commands are loaded.
 */
export async function buildProgram(exit: SetExitCode, words: readonly string[] | null = null): Promise<Command> {
  const program = new Command("moecast")
    .description("Forecasts how a Mixture-of-Experts model will serve on given hardware, from recorded expert routing.")
    .version(version)
    .option("--no-color", "plain text, also with NO_COLOR set (FORCE_COLOR asks for colour)")
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ formatItem: helpItem, subcommandTerm: (command) => command.name() })
    .configureOutput({
      outputError: (text, write) => write(`${oneLine(text)}\n`),
      getOutHelpWidth: helpWidth,
      getErrHelpWidth: helpWidth,
    })
    .addHelpText("after", below);
  const named = words === null ? null : namedBy(words);
  const names = Object.keys(abouts) as CommandName[];
  if (words !== null && named === null) for (const name of names) program.command(name).description(abouts[name]);
  else {
    const loaded = await Promise.all((named === null ? names : [named]).map((name) => commands[name]()));
    for (const register of loaded) register(program, exit, () => buildProgram(exit));
  }
  for (const command of program.commands) refineCommand(command);
  return program;
}
