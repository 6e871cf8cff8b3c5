import type { Command } from "commander";
import { UsageError } from "../core/errors.ts";
import { abouts } from "./abouts.ts";
import type { CalibrateCliOptions } from "./calibrate.ts";
import type { CalibrateLiveOptions } from "./calibrate-live.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import { mkdirHelp, wantsColour, wholeNumber } from "./words.ts";

interface LiveFlag {
  readonly live?: boolean;
}

/** Options of which only one way to calibrate knows. */
const liveOnly = ["backend", "shape", "batch", "disk", "seconds"] as const;

const below = helpBelow({
  notes: [
    'Tables are recognised by their columns: Parquet, CSV or gzipped CSV. The profile written can be named in a scenario as hardware.device.file or engine.file. "moecast hardware list" has the ids of devices and engines.',
  ],
  examples: [
    "calibrate --from tables/ --profile h200-sxm -o my-h200.json",
    "calibrate --from gemm.parquet moe.csv.gz --profile h200-sxm --json",
    "calibrate --from serving.csv --profile vllm -o my-vllm.json",
    "calibrate --live --backend wasm -o my-machine/",
  ],
});

export const calibrateCommand: CommandRegistration = (program, exit) => {
  program
    .command("calibrate")
    .description(abouts.calibrate)
    .option(
      "--from <path...>",
      "tables of measured kernels (files or folders), or of serving points (one file) (default: none; needed without --live)",
    )
    .option(
      "--profile <id>",
      "device profile to complete with kernel maps, or engine to fit (default: none; needed without --live)",
    )
    .option("--live", "measure this machine instead, and write profiles of it into the folder of -o")
    .option(
      "-o, --output <path>",
      "file to write the fitted profile to (JSON); live: the folder to write into (default: nothing is written)",
    )
    .option("--backend <id>", "live: auto, tensorflow, webgpu, wasm or cpu (default: auto)")
    .option("--shape <size>", "live: experts, as HIDDENxWIDTH or a model such as qwen3-30b-a3b (default: 512x1024)")
    .option("--batch <n>", "live: most tokens in a step (default: 16)", wholeNumber(1, 64))
    .option("--disk <folder>", "live: where disk reads are measured (default: the folder for temporary files)")
    .option("--seconds <n>", "live: time for each half of the measurement (default: 25)", wholeNumber(1, 600))
    .option("--mkdir", mkdirHelp)
    .option("--maps-only", "write the kernel maps alone, not the whole profile")
    .option("--json", "print the calibration as JSON instead of the report")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (given: Partial<CalibrateCliOptions> & CalibrateLiveOptions & LiveFlag, command: Command) => {
      if (given.live === true) {
        if (given.from !== undefined || given.profile !== undefined || given.mapsOnly === true)
          throw new UsageError("calibrate --live: --from, --profile and --maps-only do not apply");
        const { calibrateLive } = await import("./calibrate-live.ts");
        exit(await calibrateLive(given, wantsColour(command)));
        return;
      }
      const options = tableOptions(given);
      const { engineIds } = await import("../engine/catalogue.ts");
      if (engineIds.includes(options.profile)) {
        const { calibrateEngine } = await import("./calibrate-engine.ts");
        await calibrateEngine(options, wantsColour(command));
        return;
      }
      const { calibrate } = await import("./calibrate.ts");
      await calibrate(options, wantsColour(command));
    });
};

/** The options of fitting tables, all of them there. */
function tableOptions(given: Partial<CalibrateCliOptions> & CalibrateLiveOptions): CalibrateCliOptions {
  const { from, profile, ...others } = given;
  const foreign = liveOnly.filter((option) => given[option] !== undefined);
  if (foreign.length > 0) throw new UsageError(`calibrate: --${foreign.join(", --")} need --live`);
  if (from === undefined || profile === undefined)
    throw new UsageError("calibrate: give --from <path...> and --profile <id>, or --live");
  return { from, profile, ...others };
}
