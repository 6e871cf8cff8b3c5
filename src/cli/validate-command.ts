import { type Command, Option } from "commander";
import { errorLimit } from "./error-limit.ts";
import type { CommandRegistration } from "./program.ts";
import type { ValidateOptions } from "./validate.ts";
import { collect, wantsColour } from "./words.ts";

const examples = `
Examples:
  moecast validate --serving points.csv --export markdown=errors.md --export svg=errors.svg
  moecast validate --serving points.csv --leave-out group --max-error median=14
  moecast validate --serving points.csv --filter system=h200_sxm --observed mine.csv
  moecast validate --kernels tables/ --leave-out system
  moecast validate --run requests.jsonl --scenario deployment.yaml
  moecast validate --against vllm-bench.json --scenario deployment.yaml --max-error 5
  moecast validate --against c64.json --scenario deployment.yaml --observed c8.json

Exactly one of --serving, --kernels, --run and --against says what was measured. --max-error holds the mean size of the
errors unless it names another statistic: mean, median, p90 or bias; exit code 99 when it is exceeded.`;

export const validateCommand: CommandRegistration = (program, exit) => {
  program
    .command("validate")
    .description("compare forecasts with measurements, and report the error")
    .option("--serving <file>", "measured serving points (CSV): TTFT and TPOT of closed loops, one deployment a row")
    .option("--kernels <path...>", "measured kernel tables: files or folders")
    .option("--run <file>", "a served run request by request (CSV or JSONL), replayed on --scenario")
    .option("--against <file>", "result of a benchmark: vLLM bench, AIPerf, inference-perf or GuideLLM (JSON)")
    .option("--scenario <file>", "deployment that --run or --against was measured on")
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .addOption(
      new Option("--leave-out <what>", "calibrate without what is judged, and report the error on it").choices([
        "group",
        "model",
        "system",
        "engine",
        "deployment",
        "point",
      ]),
    )
    .option("--observed <file>", "measurements of your own deployment to forecast the others from")
    .option("--filter <field=value>", "only these serving points, such as system=h200_sxm (repeatable)", collect)
    .option("--json", "print the validation as JSON instead of the report")
    .option("--max-error <percent>", "exit 99 when the error is larger, such as 10 or median=8", errorLimit)
    .option("--export <format=path>", "also write json, csv, markdown or svg (repeatable)", collect)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", examples)
    .action(async (options: ValidateOptions, command: Command) => {
      const { validate } = await import("./validate.ts");
      exit(await validate(options, wantsColour(command)));
    });
};
