import { Command } from "commander";
import { oneLine } from "../core/printable.ts";
import { version } from "../core/version.ts";
import { calibrateCommand } from "./calibrate-command.ts";
import { captureCommand } from "./capture-command.ts";
import type { SetExitCode } from "./command.ts";
import { hardwareCommand } from "./hardware-command.ts";
import { helpBelow, helpItem, helpWidth } from "./help-text.ts";
import { mapCommand } from "./map-command.ts";
import { modelCommand } from "./model-command.ts";
import { offloadCommand } from "./offload-command.ts";
import { placeCommand } from "./place-command.ts";
import { planCommand } from "./plan-command.ts";
import { runCommand } from "./run-command.ts";
import { schemaCommand } from "./schema-command.ts";
import { sweepCommand } from "./sweep-command.ts";
import { traceCommand } from "./trace-command.ts";
import { tuiCommand } from "./tui-command.ts";
import { validateCommand } from "./validate-command.ts";
import { workerCommand } from "./worker-command.ts";

const commands = [
  runCommand,
  tuiCommand,
  offloadCommand,
  placeCommand,
  planCommand,
  sweepCommand,
  workerCommand,
  calibrateCommand,
  validateCommand,
  traceCommand,
  captureCommand,
  hardwareCommand,
  modelCommand,
  mapCommand,
  schemaCommand,
];

const below = helpBelow({
  notes: [
    "Begin with a scenario file: docs/getting-started.md leads through one, and scenarios/ has more. Every command has its own --help.",
    "Exit codes: 0 ok, 1 internal error, 2 usage or an output that cannot be written, 3 invalid input, 4 infeasible, 5 solver limit, 99 SLO or regression failed, 130 interrupted and 143 terminated (partial results kept).",
  ],
  examples: ["run scenarios/quickstart.yaml", "hardware list", "model show qwen3-30b-a3b", "run --help"],
});

export function buildProgram(exit: SetExitCode): Command {
  const program = new Command("moecast")
    .description("Forecasts how a Mixture-of-Experts model will serve on given hardware, from recorded expert routing.")
    .version(version)
    .option("--no-color", "plain text, also with NO_COLOR set (FORCE_COLOR asks for colour)")
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ formatItem: helpItem })
    .configureOutput({
      outputError: (text, write) => write(`${oneLine(text)}\n`),
      getOutHelpWidth: helpWidth,
      getErrHelpWidth: helpWidth,
    })
    .addHelpText("after", below);
  for (const register of commands) register(program, exit);
  for (const command of program.commands) {
    command.exitOverride();
    for (const sub of command.commands) sub.exitOverride();
  }
  return program;
}
