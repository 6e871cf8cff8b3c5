import { type Command, Option } from "commander";
import type { CommandRegistration } from "./program.ts";
import { regressionLimits } from "./regression-limits.ts";
import type { RunOptions } from "./run.ts";
import { collect, mkdirHelp, wantsColour, wholeNumber } from "./words.ts";

const examples = `
Examples:
  moecast run scenarios/quickstart.yaml
  moecast run cluster.yaml --set policy.offload.slots=32 --threshold 'ttft: p(99)<800ms'
  moecast run ci/*.yaml --summary compact --export junit=report.xml --export json=result.json
  moecast run ci/*.yaml --baseline result.json --max-regress 3%,e2e.p99=40%
  moecast run cluster.yaml --observed bench.json --set traffic.arrivals.maxConcurrency=64`;

/** Seeds are 32-bit words. */
const seedMax = 4_294_967_295;

export const runCommand: CommandRegistration = (program, exit) => {
  program
    .command("run")
    .description("simulate scenarios and check their SLOs")
    .argument("<scenario...>", "scenario files (YAML)")
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .option(
      "--param <NAME=value>",
      "a parameter of paths in the scenario, from its folder, else from here (repeatable)",
      collect,
    )
    .option("--seed <n>", "override the scenario's seed", wholeNumber(0, seedMax))
    .option("--threshold <metric: expression>", "a further SLO, such as 'ttft: p(99)<800ms' (repeatable)", collect)
    .option("--no-thresholds", "report SLOs and regressions without failing on them")
    .option("--observed <file>", "measurements of this deployment to adjust the forecast to (CSV, JSON or JSONL)")
    .option("--baseline <file>", "compare with earlier forecasts of the same scenarios (JSON export)")
    .option(
      "--max-regress <limits>",
      "how much worse than the baseline a metric may be, such as 3% or 3%,e2e.p99=40% (repeatable; default: 5%)",
      regressionLimits,
    )
    .option("--json", "print the forecast as JSON instead of the summary; an array for several scenarios")
    .addOption(new Option("--summary <mode>", "how much to print").choices(["full", "compact"]).default("full"))
    .option("--export <format=path>", "also write json, csv, markdown, junit or github (repeatable)", collect)
    .option("--mkdir", mkdirHelp)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", examples)
    .action(async (files: string[], options: RunOptions, command: Command) => {
      const { run } = await import("./run.ts");
      exit(await run(files, options, wantsColour(command)));
    });
};
