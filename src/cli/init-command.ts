import { type Command, Option } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { InitOptions } from "./init.ts";
import { positiveNumber, wantsColour } from "./words.ts";

/** Names of `templates` in src/cli/init/templates.ts, which loads more than help needs. */
export const templateNames = ["chat", "offload", "ci", "pools"] as const;

const below = helpBelow({
  notes: [
    "chat: one replica under open load. offload: a model larger than its GPU. ci: a scenario, a GitHub Actions workflow and how to keep a baseline. pools: prefill and decode apart.",
    "On a terminal it asks for what no option says. The scenario is made to fit: the fewest devices that hold the model, a load that keeps the objectives. It is run before anything is written.",
  ],
  exits: {
    2: "a file is there already and --force was not given, or a place cannot be written; nothing is written",
    3: "no such model, system or engine",
    4: "the model, the hardware and the engine do not fit together: the reason is shown and nothing is written",
    130: "left with Ctrl-C; nothing is written",
  },
  examples: [
    "init",
    "init my-project --template offload --model gpt-oss-120b --hardware rtx4090-desktop --yes",
    "init --template chat --model qwen3-30b-a3b --hardware h200-sxm --rate 4 --name staging",
    "init . --template ci --yes",
  ],
});

export const initCommand: CommandRegistration = (program, exit) => {
  program
    .command("init")
    .description(abouts.init)
    .argument("[dir]", "folder of the project, which is made where there is none (default: the current folder)")
    .addOption(new Option("--template <name>", "what to begin with (default: chat)").choices(templateNames))
    .option("--model <id>", "model of `moecast model list` (default: the template's)")
    .option("--hardware <id>", "system or device of `moecast hardware list` (default: the template's)")
    .option("--engine <id>", "serving engine (default: the first of the template's that serves the model there)")
    .option("--rate <per-second>", "requests per second (default: a load that keeps the objectives)", positiveNumber)
    .option("--name <name>", "name of the scenario and its file (default: the template's)")
    .option("-y, --yes", "ask nothing: defaults for what no option says, as without a terminal")
    .option("--force", "replace files that are there already")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (dir: string | undefined, options: InitOptions, command: Command) => {
      const { init } = await import("./init.ts");
      exit(await init(dir ?? ".", options, wantsColour(command)));
    });
};
