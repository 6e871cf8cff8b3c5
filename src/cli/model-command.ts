import type { Command } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { ModelBitsOptions } from "./model-bits.ts";
import type { MappingOptions } from "./model-mappings.ts";
import { mkdirHelp, nonNegative, numberRanges, positiveNumber, wantsColour, wholeNumber } from "./words.ts";

export const modelCommand: CommandRegistration = (program) => {
  const model = program
    .command("model")
    .description(abouts.model)
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "model list",
          "model show qwen3-30b-a3b",
          "model mappings qwen3-30b-a3b --devices 4 --system h100-sxm-8",
        ],
      }),
    );
  model
    .command("list")
    .description("the models that scenarios can name, with parameter counts")
    .option("--json", "print JSON")
    .addHelpText("after", helpBelow({ examples: ["model list", "model list --json"] }))
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
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "model show qwen3-30b-a3b",
          "model show my-model/config.json",
          "model show scenarios/quickstart.yaml --json",
        ],
      }),
    )
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
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "model mappings qwen3-235b-a22b --devices 8 --system h100-sxm-8",
          "model mappings deepseek-v3 --devices 16 --system h200-sxm-8 --engine sglang --limit 20",
        ],
      }),
    )
    .action(async (source: string, options: MappingOptions, command: Command) => {
      const { printMappings } = await import("./model-mappings.ts");
      await printMappings(source, options, wantsColour(command));
    });
  model
    .command("shape")
    .description("a model as model.shape of a scenario, to vary it or to complete what is not known of it")
    .argument("<id-or-file>", "catalogue id, a config.json of any type, or a folder that holds one")
    .addHelpText(
      "after",
      helpBelow({ examples: ["model shape olmoe-1b-7b", "model shape my-model/config.json > shape.yaml"] }),
    )
    .action(async (source: string, _options: object, command: Command) => {
      const { printShape } = await import("./model.ts");
      await printShape(source, wantsColour(command));
    });
  model
    .command("bits")
    .description("bits for each expert so that an average holds and the least is lost (PMQ), and what the model takes")
    .argument("<trace>", "routing trace, whose uses and weights of experts count")
    .requiredOption(
      "--average <bits>",
      "bits of a value, over the experts of a layer at most, such as 2.5",
      positiveNumber,
    )
    .option(
      "--loss <file>",
      "what each expert loses at each width (.json); default: what rounding loses, alike for all",
    )
    .option("--bits <list>", "without --loss: widths to choose from (default: 1,2,3)", numberRanges)
    .option(
      "--at-least-once <list>",
      "widths that some expert of a layer must have (default: all but the narrowest)",
      numberRanges,
    )
    .option("--weight-exponent <x>", "how router weights count beside the number of tokens; 0: not", nonNegative, 1.5)
    .option("--group <n>", "values that share a 16-bit scale", wholeNumber(1), 128)
    .option("--model <id>", "model of the catalogue whose bytes are given; default: the trace's")
    .option("--solver <name>", "dp, highs or glpk (default: dp, which is exact)")
    .option("-o, --output <file>", "file of the bits of each expert (.json) (default: no file)")
    .option("--mkdir", mkdirHelp)
    .option("--json", "print JSON")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "model bits routing.safetensors --average 2.5",
          "model bits routing.safetensors --average 2.25 --loss losses.json -o bits.json",
        ],
      }),
    )
    .action(async (trace: string, options: ModelBitsOptions) => {
      const { modelBits } = await import("./model-bits.ts");
      await modelBits(trace, options);
    });
};
