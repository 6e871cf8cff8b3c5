import { type Command, Option } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { errorLimit } from "./error-limit.ts";
import { helpBelow } from "./help-text.ts";
import type { ValidateOptions } from "./validate-options.ts";
import { collect, mkdirHelp, wantsColour, wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: [
    'Exactly one of --serving, --kernels, --run, --against and --live says what was, or is, measured; options that begin with "live:" go with --live alone. --max-error holds the mean size of the errors unless it names another statistic: mean, median, p90 or bias.',
  ],
  examples: [
    "validate --serving points.csv --export markdown=errors.md --export svg=errors.svg",
    "validate --serving points.csv --leave-out setup --max-error median=14",
    "validate --serving points.csv --filter system=h200_sxm --observed mine.csv",
    "validate --kernels tables/ --leave-out system",
    "validate --run requests.jsonl --scenario deployment.yaml",
    "validate --against vllm-bench.json --scenario deployment.yaml --max-error 5",
    "validate --against sweep.json --scenario deployment.yaml --load measured",
    "validate --against c64.json --scenario deployment.yaml --observed c8.json",
    "validate --live --trace routing.safetensors --backend wasm --slots 12 --max-error mean=10",
  ],
});

export const validateCommand: CommandRegistration = (program, exit) => {
  program
    .command("validate")
    .description(abouts.validate)
    .option(
      "--serving <file>",
      "measured serving points (CSV), one deployment a row: TTFT and TPOT at a number of clients (default: another mode)",
    )
    .option("--kernels <path...>", "measured kernel tables: files or folders (default: another mode)")
    .option(
      "--run <file>",
      "a served run request by request (CSV or JSONL), replayed on --scenario (default: another mode)",
    )
    .option(
      "--against <file>",
      "result of a benchmark: vLLM or SGLang bench, AIPerf, inference-perf, GuideLLM, trtllm-bench, llama-bench, ... (default: another mode)",
    )
    .option("--live", "measure here: real expert layers with a real expert cache on this machine, over --trace")
    .option("--scenario <file>", "deployment that --run or --against was measured on (default: none; needed by these)")
    .option(
      "--set <path=value>",
      "override a value of the scenario, such as engine.maxNumSeqs=64 (repeatable)",
      collect,
    )
    .addOption(
      new Option(
        "--leave-out <what>",
        "fit anew without each setup, model, ... and judge it by that: errors on what no fit has seen (default: the fit as shipped)",
      ).choices(["setup", "model", "system", "engine", "near", "deployment", "point", "near-point"]),
    )
    .option("--observed <file>", "measurements of your own deployment to forecast the others from (default: none)")
    .option("--run-index <n>", "which run of a file that holds several (default: all)", wholeNumber(1))
    .addOption(
      new Option(
        "--load <whose>",
        "load to forecast where a benchmark states statistics only (default: scenario)",
      ).choices(["scenario", "measured"]),
    )
    .option("--accept-differences", "use a measurement although its model, device or load differs from the scenario's")
    .option("--filter <field=value>", "only these serving points, such as system=h200_sxm (repeatable)", collect)
    .option("--trace <file>", "live: routing trace to run (default: none; needed by --live)")
    .option("--backend <id>", "live: auto, tensorflow, webgpu, wasm or cpu (default: auto)")
    .option("--shape <size>", "live: experts, as HIDDENxWIDTH or a model such as qwen3-30b-a3b (default: 128x256)")
    .option("--cache <policy>", "live: lru, lfu, fifo or static (default: lru)")
    .option("--slots <n>", "live: experts of a layer on the device (default: half of them)", wholeNumber(1))
    .option("--from <place>", "live: where the others are, host or disk (default: host)")
    .option("--batch <n>", "live: tokens in a step (default: 1)", wholeNumber(1, 64))
    .option(
      "--prefetch <kind>",
      "live: send experts of the next layer ahead, on a second thread: perfect, previous-token, frequency, layer-markov or co-occurrence (default: none)",
    )
    .option("--layers <n>", "live: run the trace's first n layers only (default: all)", wholeNumber(1))
    .option("--steps <n>", "live: steps that are compared, at least 10 (default: 1000)", wholeNumber(10))
    .option("--runs <n>", "live: runs (default: 3)", wholeNumber(1, 100))
    .option("--seconds <n>", "live: time for measuring products and copies (default: 3)", wholeNumber(1, 600))
    .option("--json", "print the validation as JSON instead of the report")
    .option(
      "--max-error <percent>",
      "exit 99 when the error is larger, such as 10 or median=8 (default: no limit)",
      errorLimit,
    )
    .option("--export <format=path>", "also write json, csv, markdown or svg (repeatable)", collect)
    .option("--mkdir", mkdirHelp)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (options: ValidateOptions, command: Command) => {
      const { validate } = await import("./validate.ts");
      exit(await validate(options, wantsColour(command)));
    });
};
