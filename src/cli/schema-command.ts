import { jsonDocument } from "../core/json.ts";
import type { CommandRegistration } from "./command.ts";

export const schemaCommand: CommandRegistration = (program) => {
  program
    .command("schema")
    .description("print the JSON Schema of scenario files (draft 7), for editors")
    .action(async () => {
      const { scenarioJsonSchema } = await import("../scenario/json-schema.ts");
      process.stdout.write(jsonDocument(scenarioJsonSchema()));
    });
};
