import { existsSync } from "node:fs";
import type { Command } from "commander";
import { UsageError } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { SweepOptions } from "./sweep.ts";
import type { ListOptions, MergeOptions, QueryOptions } from "./sweep-results.ts";
import { collect, pluginHelp, redisHelp, wantsColour, wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: [
    "Runs every combination of the values of --vary, and of the cases, matrix and samples in the scenario's sweep section. Values are YAML; commas inside brackets belong to a value.",
    "Results go to a folder: the same command goes on where it ended, however it ended. results.csv and results.parquet are written at the end.",
  ],
  examples: [
    "sweep scenarios/workload-w.yaml --vary engine.maxNumSeqs=64,256 --vary seed=1,2,3 --set traffic.requests=300",
    "sweep scenarios/workload-w.yaml --range engine.maxNumSeqs=8..256 --points 50 -o limits",
    "sweep list limits --sort tpot.p50",
    "sweep scenarios/workload-w.yaml --vary seed=1,2,3,4 --shard 1/2 -o part-1",
    "sweep merge part-1 part-2 -o whole",
    "sweep query 'select count(*) from results' whole",
  ],
});

const seedMax = 4_294_967_295;
const sortHelp = "figure to sort by, such as tpot.p50; default costUsdPerMtok, else throughputPerDevice";
const topHelp = "best configurations to show (default: 10)";

/** Options that `sweep` has too are read by it: those of its own commands are asked for with the ones above. */
export const sweepCommand: CommandRegistration = (program, exit) => {
  const sweep = program
    .command("sweep")
    .description(abouts.sweep)
    .usage("[options] <scenario>")
    .argument("<scenario>", "scenario file (YAML)")
    .option("--vary <path=values>", "values of a path, such as parallel.tp=1,2,4 (repeatable)", collect)
    .option(
      "--range <path=low..high>",
      "range of a path to sample, such as traffic.arrivals.requestRate=4/s..40/s; with ,log behind it by ratio (repeatable)",
      collect,
    )
    .option(
      "--points <n>",
      "points to sample from the ranges, as a Latin hypercube (default: no sampling)",
      wholeNumber(1, 1_000_000),
    )
    .option("--sample-seed <n>", "seed of the sampling (default: 1)", wholeNumber(0, seedMax))
    .option("--set <path=value>", "override a value of the scenario in all configurations (repeatable)", collect)
    .option("--param <NAME=value>", "value of a parameter in paths of the scenario (repeatable)", collect)
    .option("--plugin <file>", pluginHelp, collect)
    .option(
      "-o, --output <folder>",
      "folder of the results; default sweeps/ with the name of the scenario and of the design",
    )
    .option(
      "--shard <i/n>",
      "run the i-th of n parts, such as 3/8, into a folder of its own; merge puts them together (default: the whole)",
    )
    .option(
      "--executor <name>",
      "where configurations are run: threads of this process, or bullmq, a queue of workers (default: threads)",
    )
    .option("--threads <n>", "runs at a time (default: one for each processor)", wholeNumber(1, 1024))
    .option("--redis <url>", redisHelp)
    .option("--queue <name>", "name of the queue, as workers have it (default: moecast)")
    .option("--sort <figure>", sortHelp)
    .option("--top <n>", topHelp, wholeNumber(1))
    .option("--json", "print the listing as JSON")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (scenario: string, options: SweepOptions, command: Command) => {
      refuseSlip(
        scenario,
        sweep.commands.map((sub) => sub.name()),
      );
      const { sweep: run } = await import("./sweep.ts");
      exit(await run(scenario, options, wantsColour(command)));
    });
  sweep
    .command("list")
    .description("show the best configurations of a sweep")
    .argument("<folder>", "folder of the results")
    .option("--sort <figure>", sortHelp)
    .option("--top <n>", topHelp, wholeNumber(1))
    .option("--json", "print JSON")
    .addHelpText("after", helpBelow({ examples: ["sweep list limits --sort tpot.p50 --top 5"] }))
    .action(async (folder: string, _options: unknown, command: Command) => {
      const { list } = await import("./sweep-results.ts");
      await list(folder, command.optsWithGlobals<ListOptions>(), wantsColour(command));
    });
  sweep
    .command("merge")
    .description("put the results of the shards of a sweep into one folder")
    .argument("<folder...>", "folders of the shards")
    .option("-o, --output <folder>", "folder of the merged results (default: none; needed)")
    .addHelpText("after", helpBelow({ examples: ["sweep merge part-1 part-2 -o whole"] }))
    .action(async (folders: string[], _options: unknown, command: Command) => {
      const { merge } = await import("./sweep-results.ts");
      await merge(folders, command.optsWithGlobals<MergeOptions>(), wantsColour(command));
    });
  sweep
    .command("query")
    .usage("<sql> <folder...>")
    .description("run SQL over results with DuckDB: the table is results")
    .argument("<sql>", 'SQL, such as "select count(*) from results"')
    .argument("<folder...>", "folders of results")
    .option("--json", "print JSON")
    .addHelpText("after", helpBelow({ examples: ["sweep query 'select count(*) from results' whole"] }))
    .action(async (sql: string, folders: string[], _options: unknown, command: Command) => {
      const { query } = await import("./sweep-results.ts");
      await query(sql, folders, command.optsWithGlobals<QueryOptions>(), wantsColour(command));
    });
};

/** Refuses a word that is no file and nearly one of the commands. */
function refuseSlip(word: string, commands: readonly string[]): void {
  const near = existsSync(word) ? null : closest(word, commands);
  if (near !== null) throw new UsageError(`sweep: no file ${word}. Did you mean ${near}?`);
}
