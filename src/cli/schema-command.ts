import { Argument } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { SchemaOptions } from "./schema.ts";
import { collect, mkdirHelp, pluginHelp } from "./words.ts";

/** Names of `schemas` in src/cli/schema.ts, which loads more than help needs. */
export const schemaNames = ["scenario", "device", "system", "engine"] as const;

const below = helpBelow({
  notes: [
    "scenario: files of run, plan, sweep, ... device, system and engine: profiles of your own, as `hardware show --json` prints them.",
    "VS Code with the YAML extension, JetBrains IDEs and any editor with a YAML language server check and complete a scenario that begins with: # yaml-language-server: $schema=PATH",
  ],
  examples: ["schema", "schema scenario -o moecast.schema.json", "schema device -o device.schema.json"],
});

export const schemaCommand: CommandRegistration = (program) => {
  program
    .command("schema")
    .description(abouts.schema)
    .addArgument(new Argument("[what]", "files that it describes").choices(schemaNames).default("scenario"))
    .option("-o, --output <file>", "file to write instead of printing (.json; default: none)")
    .option("--mkdir", mkdirHelp)
    .option("--plugin <file>", pluginHelp, collect)
    .addHelpText("after", below)
    .action(async (what: (typeof schemaNames)[number], options: SchemaOptions) => {
      const { schema } = await import("./schema.ts");
      await schema(what, options);
    });
};
