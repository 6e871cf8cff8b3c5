import { InvalidArgumentError } from "commander";
import { pathMetrics } from "../forecast/explain/path-metrics.ts";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import type { ExplainCliOptions } from "./explain.ts";
import { helpBelow } from "./help-text.ts";
import { collect, mkdirHelp, pluginHelp, wantsColour, wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: [
    "The scenario is run again and the request at the median and the one at a percentile are followed: where their time goes, along the critical path, adds up to their latency. Then the first requests are run with one resource made free at a time, and with the nearest change that can be had in that direction.",
    "A result names its scenario and inputs by sha256. They have to be the ones that it was made from, unless --accept-differences is given.",
  ],
  examples: [
    "explain scenarios/offload-4090.yaml",
    "explain result.json --metric ttft --p 99",
    "explain result.json --scenario cluster.yaml --request 17 --no-ideals",
    "explain scenarios/quickstart.yaml --json",
  ],
});

/** A percentile above 0, of 100 at most. */
function percentile(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value <= 100))
    throw new InvalidArgumentError("Expected a percentile such as 99 or 99.9.");
  return value / 100;
}

export const explainCommand: CommandRegistration = (program, exit) => {
  program
    .command("explain")
    .description(abouts.explain)
    .argument("<result>", "result of a run (JSON export), or a scenario (YAML)")
    .option("--scenario <file>", "scenario of the result (default: where it was, else beside the result)")
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .option("--param <NAME=value>", "value of a parameter in paths of the scenario (repeatable)", collect)
    .option("--plugin <file>", pluginHelp, collect)
    .option(
      "--metric <name>",
      `latency to explain: ${pathMetrics.join(", ")} (default: that of the SLO that failed or has the smallest margin)`,
    )
    .option("--p <percentile>", "the percentile beside the median (default: 99)", percentile)
    .option(
      "--request <n>",
      "this request in place of those at percentiles, counted from 0 in order of arrival (repeatable)",
      (text: string, previous: readonly number[] = []) => [...previous, wholeNumber(0, 1_000_000_000)(text)],
    )
    .option(
      "--requests <n>",
      "requests of each run that tries something (default: as many as there is time for)",
      wholeNumber(1),
    )
    .option("--no-ideals", "only where the time goes: no further runs")
    .option("--accept-differences", "explain although the scenario or an input is not that of the result")
    .option("--json", "print JSON")
    .option("--markdown <file>", "also write the page as Markdown (default: no file)")
    .option("--mkdir", mkdirHelp)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (file: string, options: ExplainCliOptions, command) => {
      const { explain } = await import("./explain.ts");
      exit(await explain(file, options, wantsColour(command)));
    });
};
