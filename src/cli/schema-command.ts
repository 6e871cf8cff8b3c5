import { jsonDocument } from "../core/json.ts";
import type { CommandRegistration } from "./command.ts";
import { collect, pluginHelp } from "./words.ts";

export const schemaCommand: CommandRegistration = (program) => {
  program
    .command("schema")
    .description("print the JSON Schema of scenario files (draft 7), for editors")
    .option("--plugin <file>", pluginHelp, collect)
    .action(async ({ plugin }: { readonly plugin?: readonly string[] }) => {
      const { scenarioJsonSchema } = await import("../scenario/json-schema.ts");
      const { policiesWith } = await import("./plugins.ts");
      process.stdout.write(jsonDocument(scenarioJsonSchema(await policiesWith(plugin))));
    });
};
