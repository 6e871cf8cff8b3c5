import type { Command } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { TuiOptions } from "./tui.ts";
import { collect, wantsColour } from "./words.ts";

const below = helpBelow({
  notes: [
    "On a screen ? lists all keys. Without a terminal, with CI set, and with --plain, --no-tui or --json the scenario is run as by `moecast run`, or the scenarios are listed.",
    "Results are kept in the results folder as `run --export json` writes them.",
  ],
  examples: ["tui", "tui scenarios/quickstart.yaml", "tui cluster.yaml --set parallel.ep=16"],
});

export const tuiCommand: CommandRegistration = (program, exit) => {
  program
    .command("tui")
    .description(abouts.tui)
    .argument("[file]", "a scenario to run (YAML), or a saved result or a plan to open (JSON)")
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .option("--param <NAME=value>", "value of the parameter NAME in file paths of scenarios (repeatable)", collect)
    .option("--results <folder>", "where results are kept (default: $XDG_STATE_HOME/moecast/results)")
    .option(
      "--keys <file>",
      'other keys: JSON such as {"quit": ["q"], "run.pause": ["p"]} (default: those that ? lists)',
    )
    .option("--ascii", "no signs beyond ASCII")
    .option(
      "--screen-reader",
      "lines of text for a screen reader, said when a key asks for them; also with INK_SCREEN_READER=true",
    )
    .option("--plain", "no screens: lines of text")
    .option("--no-tui", "the same")
    .option("--json", "no screens: the forecast as JSON")
    .addHelpText("after", below)
    .action(async (file: string | undefined, options: TuiOptions, command: Command) => {
      const { tui } = await import("./tui.ts");
      exit(await tui(file, options, wantsColour(command)));
    });
};
