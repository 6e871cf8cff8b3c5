import { type Command, Option } from "commander";
import { exportFormats } from "../report/export-formats.ts";
import { summaryLevels } from "../report/summary-level.ts";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import { regressionLimits } from "./regression-limits.ts";
import type { RunOptions } from "./run.ts";
import { collect, durationNs, mkdirHelp, pluginHelp, wantsColour, wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: ["Exit code 99 says that an SLO of level error failed or that a metric became worse than its limit allows."],
  words: { title: "Formats of --export:", meanings: exportFormats },
  examples: [
    "run scenarios/quickstart.yaml",
    "run cluster.yaml --set policy.offload.slots=32 --threshold 'ttft: p(99)<800ms'",
    "run ci/*.yaml --summary compact --export junit=report.xml --export json=result.json",
    "run ci/*.yaml --baseline result.json --max-regress 3%,e2e.p99=40%",
    "run cluster.yaml --export timeline=timeline.json.gz --trace-from 10s --trace-to 11s",
    "run cluster.yaml --repeat 5 --export json=result.json",
    "run mine.yaml --plugin ./mine.mjs --set policy.offload.kind=mine",
    "run cluster.yaml --observed bench.json --set traffic.arrivals.maxConcurrency=64",
  ],
});

const levels = Object.entries(summaryLevels)
  .map(([level, shows]) => `${level}: ${shows}`)
  .join("; ");

/** Seeds are 32-bit words. */
const seedMax = 4_294_967_295;

/** Runs of one scenario. */
const repeatMax = 1000;

export const runCommand: CommandRegistration = (program, exit) => {
  program
    .command("run")
    .description(abouts.run)
    .argument("<scenario...>", "scenario files (YAML)")
    .option(
      "--set <path=value>",
      "override a value of the scenario, such as traffic.requests=200 (repeatable)",
      collect,
    )
    .option(
      "--param <NAME=value>",
      "value of the parameter NAME in file paths of the scenario, from its folder, else from here (repeatable)",
      collect,
    )
    .option("--plugin <file>", pluginHelp, collect)
    .option(
      "--seed <n>",
      "override the scenario's seed: other arrivals, lengths and routing are drawn (default: the scenario's, else 1)",
      wholeNumber(0, seedMax),
    )
    .option(
      "--repeat <n>",
      "run with so many seeds, the scenario's and those that follow: means and intervals over them; SLOs hold with every seed (default: one run)",
      wholeNumber(2, repeatMax),
    )
    .option("--threshold <metric: expression>", "a further SLO, such as 'ttft: p(99)<800ms' (repeatable)", collect)
    .option("--no-thresholds", "exit 0 though SLOs fail or metrics regress; the report still says so")
    .option(
      "--observed <file>",
      "measurements of this deployment to adjust the forecast to (CSV, JSON or JSONL) (default: no adjustment)",
    )
    .option("--accept-differences", "adjust although the measurement states another model, device or load")
    .option(
      "--baseline <file>",
      "compare with earlier forecasts of the same scenarios (JSON export) (default: no comparison)",
    )
    .option(
      "--max-regress <limits>",
      "how much worse than the baseline a metric may be, such as 3% or 3%,e2e.p99=40% (repeatable; default: 5%)",
      regressionLimits,
    )
    .option("--bands", "run also at both ends of the error band: bands of throughput, cost and goodput")
    .option("--no-advice", "do not try changes against the bottleneck in short further runs")
    .option("--json", "print the forecast as JSON instead of the summary; an array for several scenarios")
    .addOption(
      new Option("--summary <level>", `how much to print; ${levels}`)
        .choices(Object.keys(summaryLevels))
        .default("standard"),
    )
    .option("--export <format=path>", "also write a file in one of the formats below (repeatable)", collect)
    .option(
      "--trace-from <time>",
      "begin the timeline here, such as 90s after the first arrival (default: at it)",
      durationNs,
    )
    .option("--trace-to <time>", "end it here (default: the whole run, as far as there is room)", durationNs)
    .option("--mkdir", mkdirHelp)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (files: string[], options: RunOptions, command: Command) => {
      const { run } = await import("./run.ts");
      exit(await run(files, options, wantsColour(command)));
    });
};
