import type { Command } from "commander";
import type { CalibrateCliOptions } from "./calibrate.ts";
import type { CommandRegistration } from "./program.ts";
import { wantsColour } from "./words.ts";

const examples = `
Examples:
  moecast calibrate --from tables/ --profile h200-sxm -o my-h200.json
  moecast calibrate --from gemm.parquet moe.csv.gz --profile h200-sxm --json
  moecast calibrate --from serving.csv --profile vllm -o my-vllm.json

Tables are recognised by their columns: Parquet, CSV or gzipped CSV. The profile written can be named in a scenario as
hardware.device.file or engine.file.`;

export const calibrateCommand: CommandRegistration = (program) => {
  program
    .command("calibrate")
    .description("fit a device profile to measured kernels, or an engine profile to measured servers; report the error")
    .requiredOption(
      "--from <path...>",
      "tables of measured kernels (files or folders), or of serving points (one file)",
    )
    .requiredOption("--profile <id>", "device whose peaks, memory and links hold, or engine to fit")
    .option("-o, --output <file>", "write the profile with what was fitted (JSON)")
    .option("--maps-only", "write the kernel maps alone")
    .option("--json", "print the calibration as JSON instead of the report")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", examples)
    .action(async (options: CalibrateCliOptions, command: Command) => {
      const { engineIds } = await import("../hardware/systems.ts");
      if (engineIds.includes(options.profile)) {
        const { calibrateEngine } = await import("./calibrate-engine.ts");
        await calibrateEngine(options, wantsColour(command));
        return;
      }
      const { calibrate } = await import("./calibrate.ts");
      await calibrate(options, wantsColour(command));
    });
};
