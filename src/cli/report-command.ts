import type { Command } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { ReportOptions } from "./report.ts";
import { collect, mkdirHelp, pluginHelp, wantsColour } from "./words.ts";

const below = helpBelow({
  notes: [
    "A result is what moecast run --export json writes, plan.json of moecast plan, the folder of a sweep, or a report itself.",
    "The page holds the results that it shows, loads nothing and sends nothing. A browser prints it on A4 or Letter, to PDF as well.",
  ],
  examples: [
    "report result.json -o report.html",
    "report result.json --explain --sensitivity -o report.html",
    "report before.json after.json -o both.html",
    "report runs/plan/plan.json -o plan.html",
  ],
});

export const reportCommand: CommandRegistration = (program, exit) => {
  program
    .command("report")
    .description(abouts.report)
    .argument("<result...>", "saved results: of runs, of a plan, or of a sweep")
    .requiredOption("-o, --output <file>", "the page")
    .option("--explain", "run the scenario again: where the time of requests goes, and what would help")
    .option("--sensitivity", "run the scenario again with each input 20% lower and higher: which move the result most")
    .option("--scenario <file>", "scenario of the result (default: where it was, else beside the result)")
    .option("--param <NAME=value>", "value of a parameter in paths of the scenario (repeatable)", collect)
    .option("--plugin <file>", pluginHelp, collect)
    .option("--accept-differences", "run again although the scenario or an input is not that of the result")
    .option("--mkdir", mkdirHelp)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (files: string[], options: ReportOptions, command: Command) => {
      const { report } = await import("./report.ts");
      exit(await report(files, options, wantsColour(command)));
    });
};
