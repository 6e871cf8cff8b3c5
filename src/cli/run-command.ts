import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandRegistration } from "./program.ts";
import type { RunOptions } from "./run.ts";

const collect = (value: string, previous: readonly string[]) => [...previous, value];

function nonNegative(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError("expected a number of at least 0");
  return value;
}

function seed(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("expected a whole number of at least 0");
  return value;
}

export const runCommand: CommandRegistration = (program, exit) => {
  program
    .command("run")
    .description("simulate scenarios and check their SLOs")
    .argument("<scenario...>", "scenario files (YAML)")
    .option("--set <path=value>", "override a value of the scenario, repeatable", collect, [])
    .option("--param <NAME=value>", "value of a parameter that paths of the scenario name, repeatable", collect, [])
    .option("--seed <n>", "override the scenario's seed", seed)
    .option("--json", "print the forecast as JSON instead of the summary")
    .addOption(new Option("--summary <mode>", "how much to print").choices(["full", "compact"]).default("full"))
    .option("--export <format=path>", "also write json, csv, markdown, junit or github, repeatable", collect, [])
    .option("--baseline <file>", "compare with an earlier forecast (JSON export of one scenario)")
    .option("--max-regress <percent>", "largest regression against the baseline", nonNegative, 5)
    .option("--no-thresholds", "report SLOs without failing on them")
    .option("-q, --quiet", "no progress on stderr")
    .action(async (files: string[], options: RunOptions, command: Command) => {
      const { run } = await import("./run.ts");
      exit(await run(files, options, command.optsWithGlobals()["color"] !== false));
    });
};
