import type { Command } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import type { DoctorOptions } from "./doctor.ts";
import { helpBelow } from "./help-text.ts";
import { wantsColour } from "./words.ts";

const below = helpBelow({
  notes: [
    "Looks at Node, processors and memory with the limits of a container, the terminal, a forecast, the solvers, optional packages, GPUs, the schema for editors and the folders that are written to. A note is worth knowing; FAIL keeps forecasts from working. Nothing is installed, and nothing leaves the machine.",
  ],
  exits: { 0: "forecasts work here", 4: "they do not: the line that says FAIL tells why" },
  examples: ["doctor", "doctor --backends", "doctor --json"],
});

export const doctorCommand: CommandRegistration = (program, exit) => {
  program
    .command("doctor")
    .description(abouts.doctor)
    .option("--backends", "also try every backend of capture, as `moecast capture --doctor` does; takes a while")
    .option("--json", "print JSON: works, checks with their findings, backends")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", below)
    .action(async (options: DoctorOptions, command: Command) => {
      const { doctor } = await import("./doctor.ts");
      exit(await doctor(options, wantsColour(command)));
    });
};
