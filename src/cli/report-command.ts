import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { ReportOptions } from "./report.ts";
import { mkdirHelp } from "./words.ts";

const below = helpBelow({
  notes: [
    "A result is what moecast run --export json writes, plan.json of moecast plan, the folder of a sweep, or a report itself.",
    "The page holds the results that it shows, loads nothing and sends nothing. A browser prints it on A4 or Letter, to PDF as well.",
  ],
  examples: [
    "report result.json -o report.html",
    "report before.json after.json -o both.html",
    "report runs/plan/plan.json -o plan.html",
  ],
});

export const reportCommand: CommandRegistration = (program, exit) => {
  program
    .command("report")
    .description("write results as one self-contained HTML page")
    .argument("<result...>", "saved results: of runs, of a plan, or of a sweep")
    .requiredOption("-o, --output <file>", "the page")
    .option("--mkdir", mkdirHelp)
    .addHelpText("after", below)
    .action(async (files: string[], options: ReportOptions) => {
      const { report } = await import("./report.ts");
      exit(await report(files, options));
    });
};
