import type { Command } from "commander";
import type { CommandRegistration } from "./command.ts";
import type { MappingOptions } from "./model-mappings.ts";
import { wantsColour, wholeNumber } from "./words.ts";

export const modelCommand: CommandRegistration = (program) => {
  const model = program.command("model").description("models: shapes, parameters, bytes, FLOPs");
  model
    .command("list")
    .description("the models that scenarios can name, with parameter counts")
    .option("--json", "print JSON")
    .action(async (options: { json?: boolean }) => {
      const { listModels } = await import("./model.ts");
      listModels(options.json === true);
    });
  model
    .command("show")
    .description("every number of a model with the config key it came from")
    .argument(
      "<id-or-file>",
      "catalogue id, a config.json, a folder that holds one, a GGUF file, or a scenario (.yaml)",
    )
    .option("--json", "print JSON")
    .action(async (source: string, options: { json?: boolean }, command: Command) => {
      const { showModel } = await import("./model.ts");
      await showModel(source, options.json === true, wantsColour(command));
    });
  model
    .command("mappings")
    .description("every way to spread a model over devices: attention and experts, memory, and what its engine refuses")
    .argument("<model>", "catalogue id, a config.json, a folder that holds one, a GGUF file, or a scenario (.yaml)")
    .requiredOption("--devices <n>", "devices of one replica", wholeNumber(1, 1024))
    .requiredOption("--system <id>", "system of the catalogue (moecast hardware list)")
    .option("--engine <id>", "engine whose start-up rules and defaults apply", "vllm")
    .option("--limit <n>", "mappings to list", wholeNumber(1, 100_000), 200)
    .option("--json", "print JSON")
    .action(async (source: string, options: MappingOptions, command: Command) => {
      const { printMappings } = await import("./model-mappings.ts");
      await printMappings(source, options, wantsColour(command));
    });
  model
    .command("shape")
    .description("a model as model.shape of a scenario, to vary it or to complete what is not known of it")
    .argument("<id-or-file>", "catalogue id, a config.json of any type, or a folder that holds one")
    .action(async (source: string, _options: object, command: Command) => {
      const { printShape } = await import("./model.ts");
      await printShape(source, wantsColour(command));
    });
};
