import { expertMapFormatNames } from "../engine/expert-maps/expert-map-formats.ts";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { PlaceCliOptions } from "./place.ts";
import { collect, durationNs, mkdirHelp, percentage, pluginHelp, wantsColour, wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: [
    "Maps of experts are fitted on one part of the recorded routing, judged and simulated on another, and compared with the scenario's own. The page says whether to apply one; it may well say no.",
    "Every run sees the same requests and random draws. The verdict goes by mean end-to-end latency.",
  ],
  examples: [
    "place scenarios/placement-ep8.yaml",
    "place scenarios/placement-ep8.yaml --policy eplb --redundant 8 --redundant 32",
    "place scenarios/placement-ep8.yaml --fit tulu --test mmlu --json",
    "place scenarios/placement-ep8.yaml --mappings",
    "place scenarios/placement-ep8.yaml --format tensorrt-llm -o moe_load_balancer.yaml",
  ],
});

export const placeCommand: CommandRegistration = (program, exit) => {
  program
    .command("place")
    .description(abouts.place)
    .argument("<scenario>", "scenario with parallel.ep above 1 and replayed routing")
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .option("--param <NAME=value>", "value of a parameter in paths of the scenario (repeatable)", collect)
    .option("--plugin <file>", pluginHelp, collect)
    .option("--policy <name>", "only this policy beside the scenario's own (repeatable)", collect)
    .option(
      "--redundant <n>",
      "physical experts a layer beyond one of each, for policies that copy (repeatable; default: none, one and four a rank)",
      (text: string, previous: readonly number[] = []) => [...previous, wholeNumber(0, 65_536)(text)],
    )
    .option(
      "--mappings",
      "compare expert parallelism with tensor parallelism inside experts instead, on the same devices",
    )
    .option("--fit <domain>", "fit maps on the rows of this domain (default: the first half by time)")
    .option("--test <domain>", "judge and simulate on the rows of this domain (default: the second half by time)")
    .option(
      "--batch <n>",
      "tokens of a step that balance is judged on (default: of the simulated steps)",
      wholeNumber(1, 1_000_000),
    )
    .option(
      "--requests <n>",
      "requests of each run, where the traffic has a number of them (default: 60)",
      wholeNumber(1),
    )
    .option("--repeats <n>", "runs of each map, with other random draws (default: 3)", wholeNumber(1, 1000))
    .option("--all", "simulate every map, not only the best by analysis")
    .option(
      "--solver <name>",
      "solver of the policies that have a choice (default: the best for the size of the problem)",
    )
    .option("--gap <percent>", "gap at which a solution is good enough (default: the policy's)", percentage)
    .option("--time-limit <duration>", "time of each solver, such as 30s (default: the policy's)", durationNs)
    .option(
      "-o, --out <file>",
      "write the map of the verdict: the one to apply, else the one in use (default: no file)",
    )
    .option("--format <name>", `format of that file: ${expertMapFormatNames.join(", ")} (default: sglang)`)
    .option("--mkdir", mkdirHelp)
    .option("--json", "print JSON")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (scenario: string, options: PlaceCliOptions, command) => {
      const { place } = await import("./place.ts");
      exit(await place(scenario, options, wantsColour(command)));
    });
};
