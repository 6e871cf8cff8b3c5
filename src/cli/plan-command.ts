import type { Command } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { PlanOptions } from "./plan.ts";
import { collect, durationNs, pluginHelp, positiveNumber, wantsColour, wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: [
    "The question is the scenario: its model, traffic and SLOs, and its plan section, which narrows or widens the space. Without one, layouts and replicas of the scenario's hardware are searched.",
    "Exit code 99 says that no deployment within the budget meets the SLOs: the closest one is shown.",
  ],
  examples: [
    "plan scenarios/workload-w.yaml --devices 8",
    "plan cluster.yaml --system h100-sxm-8 --system h200-sxm-8 --objective cost -o plan",
    "plan cluster.yaml --baseline today.yaml --usd-per-hour 40",
    "plan cluster.yaml --vary engine.maxNumSeqs=64,256 --objective energy --objective cost",
  ],
});

export const planCommand: CommandRegistration = (program, exit) => {
  program
    .command("plan")
    .description(abouts.plan)
    .argument("<scenario>", "scenario with the traffic and the SLOs (YAML)")
    .option(
      "--objective <name>",
      "cost, devices, energy, goodput, speed, rate or frontier (repeatable, the first decides; default: cost)",
      collect,
    )
    .option("--devices <n>", "most devices (default: 64)", wholeNumber(1))
    .option("--usd-per-hour <usd>", "most US dollars per hour for all devices (default: no limit)", positiveNumber)
    .option("--power <watts>", "most board power of all devices (default: no limit)", positiveNumber)
    .option(
      "--system <id>",
      "system to choose from, of `moecast hardware list` (repeatable; default: the scenario's)",
      collect,
    )
    .option("--engine <id>", "serving engine to choose from (repeatable; default: the scenario's)", collect)
    .option(
      "--vary <path=values>",
      "further values to choose from, such as engine.maxNumSeqs=64,256 (repeatable)",
      collect,
    )
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .option("--param <NAME=value>", "value of a parameter in paths of the scenario (repeatable)", collect)
    .option("--plugin <file>", pluginHelp, collect)
    .option("--baseline <scenario>", "what is run today, to compare with; default the scenario as it stands")
    .option("--exhaustive", "run every candidate that bounds let pass over all requests")
    .option(
      "--day [trace]",
      "plan a fleet over time instead: replicas, cost and SLO misses by the hour under scaling policies, through a request trace or the scenario's own traffic (default: one load, as the scenario has it)",
    )
    .option("--hour <duration>", "length of an hour of --day, for traces that are shorter (default: 1h)", durationNs)
    .option(
      "-o, --output <folder>",
      "write plan.json, scenarios of what was found, and files to deploy it (default: nothing is written)",
    )
    .option("--threads <n>", "runs at a time (default: one for each processor)", wholeNumber(1, 1024))
    .option("--json", "print plan.json")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (scenario: string, options: PlanOptions, command: Command) => {
      const { plan } = await import("./plan.ts");
      exit(await plan(scenario, options, wantsColour(command)));
    });
};
