import { type Command, Option } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import type { CompareOptions } from "./compare.ts";
import { helpBelow } from "./help-text.ts";
import { regressionLimits } from "./regression-limits.ts";
import { collect, mkdirHelp, wantsColour } from "./words.ts";

const below = helpBelow({
  notes: [
    "Results are JSON exports of `moecast run`: one forecast, or a list whose scenarios are found by name. The first is the base. What differs in the inputs comes first, then metrics with the 99% interval of the difference; a difference within it is inside the noise.",
    "Results of `run --repeat` with the same seeds are compared seed by seed, which tells smaller differences apart.",
    "Exit code 99 says that a metric became worse than --max-regress allows and than its interval, or that a scenario is gone. Without --max-regress the exit code is 0.",
  ],
  examples: [
    "compare before.json after.json",
    "compare main.json change.json --max-regress 3%,e2e.p99=10%",
    "compare base.json lru.json lfu.json --metric tpot --metric throughput",
    "compare main.json change.json --format markdown -o comparison.md",
  ],
});

export const compareCommand: CommandRegistration = (program, exit) => {
  program
    .command("compare")
    .description(abouts.compare)
    .argument("<a>", "result to compare with (JSON export)")
    .argument("<b...>", "results to compare (JSON exports)")
    .option("--metric <name>", "only this metric, or all figures of a latency, such as e2e (repeatable)", collect)
    .option(
      "--max-regress <limits>",
      "exit 99 where a metric is worse by more, such as 3% or 3%,e2e.p99=40% (repeatable; default: no limit)",
      regressionLimits,
    )
    .addOption(
      new Option("--format <format>", "how to print it").choices(["table", "markdown", "json"]).default("table"),
    )
    .option("--json", "the same as --format json")
    .option("-o, --output <file>", "write it to a file (default: stdout)")
    .option("--mkdir", mkdirHelp)
    .addHelpText("after", below)
    .action(async (a: string, b: string[], options: CompareOptions, command: Command) => {
      const { compare } = await import("./compare.ts");
      exit(await compare([a, ...b], options, wantsColour(command)));
    });
};
