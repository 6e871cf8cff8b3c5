import type { Command } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import { wantsColour } from "./words.ts";

export const hardwareCommand: CommandRegistration = (program, exit) => {
  const hardware = program
    .command("hardware")
    .description(abouts.hardware)
    .addHelpText("after", helpBelow({ examples: ["hardware list", "hardware show h100-sxm-8"] }));
  hardware
    .command("list")
    .description("all profiles with their headline numbers")
    .option("--json", "print JSON")
    .addHelpText("after", helpBelow({ examples: ["hardware list", "hardware list --json"] }))
    .action(async (options: { json?: boolean }, command: Command) => {
      const { listHardware } = await import("./hardware.ts");
      listHardware(options.json === true, wantsColour(command));
    });
  hardware
    .command("show")
    .description("every number of a profile with its source, and whether it is measured, stated or estimated")
    .argument("<id>", "id of a device, system or engine, as hardware list prints it")
    .option("--json", "print the profile itself, which scenarios take as a file (docs/hardware.md)")
    .option(
      "--model <id>",
      "of a system: from how many tokens on moving an expert of the model beats the host's processors (default: every number of the profile)",
    )
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "hardware show h100-sxm",
          "hardware show rtx4090-desktop --model qwen3-30b-a3b",
          "hardware show vllm --json > my-engine.json",
        ],
      }),
    )
    .action(async (id: string, options: { json?: boolean; model?: string }, command: Command) => {
      const { showHardware } = await import("./hardware.ts");
      showHardware(id, options, wantsColour(command));
    });
  hardware
    .command("check")
    .description("check all shipped profiles, or your own device profile files")
    .argument("[file...]", "device profiles (JSON)")
    .addHelpText("after", helpBelow({ examples: ["hardware check", "hardware check my-device.json"] }))
    .action(async (files: string[]) => {
      const { checkHardware } = await import("./hardware.ts");
      exit(await checkHardware(files));
    });
};
