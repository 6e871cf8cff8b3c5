import type { Command } from "commander";
import type { CalibrateCliOptions } from "./calibrate.ts";
import type { CommandRegistration } from "./program.ts";
import { wantsColour } from "./words.ts";

const examples = `
Examples:
  moecast calibrate --from tables/ --profile h200-sxm -o my-h200.json
  moecast calibrate --from gemm.parquet moe.csv.gz --profile h200-sxm --json

Tables are recognised by their columns: Parquet, CSV or gzipped CSV. The profile written can be named in a scenario as
hardware.device.file.`;

export const calibrateCommand: CommandRegistration = (program) => {
  program
    .command("calibrate")
    .description("fit a device profile to measured kernel tables, and report the error")
    .requiredOption("--from <path...>", "tables of measured kernels: files or folders")
    .requiredOption("--profile <id>", "device profile whose peaks, memory and links hold")
    .option("-o, --output <file>", "write the device profile with its kernel maps (JSON)")
    .option("--maps-only", "write the kernel maps alone")
    .option("--json", "print the calibration as JSON instead of the report")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", examples)
    .action(async (options: CalibrateCliOptions, command: Command) => {
      const { calibrate } = await import("./calibrate.ts");
      await calibrate(options, wantsColour(command));
    });
};
