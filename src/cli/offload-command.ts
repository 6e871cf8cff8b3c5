import type { Command } from "commander";
import { axes } from "../offload/compare/axes.ts";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { OffloadOptions } from "./offload.ts";
import { collect, pluginHelp, wantsColour, wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: [
    "Varies policy, slots, what is done about misses and prefetcher, one after the other, and keeps the best of each for the next. All candidates see the same requests and random draws.",
    "--vary memory compares sizes of the host's memory and rates of the disk behind it.",
  ],
  examples: [
    "offload scenarios/quickstart.yaml",
    "offload scenarios/quickstart.yaml --vary slots --requests 40",
    "offload scenarios/offload-4090.yaml --set policy.offload.slots=3 --json",
    "offload deployment.yaml --flags",
  ],
});

export const offloadCommand: CommandRegistration = (program, exit) => {
  program
    .command("offload")
    .description(abouts.offload)
    .argument("<scenario>", "scenario with policy.offload")
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .option("--param <NAME=value>", "value of a parameter in paths of the scenario (repeatable)", collect)
    .option("--plugin <file>", pluginHelp, collect)
    .option("--vary <what>", `only this, of ${axes.join(", ")} (repeatable)`, collect)
    .option("--requests <n>", "requests of each run (default: 24)", wholeNumber(1))
    .option("--repeats <n>", "runs of each candidate, with other random draws (default: 3)", wholeNumber(1))
    .option("--lossy", "what changes the model's answers may be the best too")
    .option("--flags", "compare nothing: print the flags that give the engine the scenario's fixed set of experts")
    .option("--json", "print JSON")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (scenario: string, options: OffloadOptions, command: Command) => {
      const { offload } = await import("./offload.ts");
      exit(await offload(scenario, options, wantsColour(command)));
    });
};
