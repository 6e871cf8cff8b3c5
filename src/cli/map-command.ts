import { expertMapFormatNames } from "../engine/expert-maps/expert-map-formats.ts";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { ConvertMapOptions, ExportMapOptions, InspectMapOptions } from "./map.ts";
import { collect, mkdirHelp, wholeNumber } from "./words.ts";

const formats = expertMapFormatNames.join(", ");
const modelHelp = "model of the map: catalogue id, config.json, a folder that holds one, or a scenario";
const ranksHelp = "expert-parallel ranks, where the file does not say (default: what it says)";
const formatHelp = `format of the map: ${formats}; auto looks at how it begins`;
const toHelp = `format to write: ${formats}`;

const below = helpBelow({
  notes: ["docs/expert-maps.md says what each format can state and how each engine is told to use it."],
  examples: [
    "map inspect map.json --model qwen3-30b-a3b --ranks 8 --trace routing.safetensors",
    "map convert map.json --model qwen3-30b-a3b --ranks 8 --to tensorrt-llm -o moe_load_balancer.yaml",
    "map export scenarios/cluster-ep8.yaml --to sglang -o map.json",
  ],
});

export const mapCommand: CommandRegistration = (program) => {
  const map = program.command("map").description(abouts.map).addHelpText("after", below);
  map
    .command("inspect")
    .description("what a map holds: copies, ranks, and how evenly it spreads the loads of a trace")
    .argument("<file>", "map, in a format that a serving engine takes")
    .requiredOption("--model <id-or-file>", modelHelp)
    .option("--ranks <n>", ranksHelp, wholeNumber(1, 65_535))
    .option("--format <name>", formatHelp, "auto")
    .option(
      "--trace <file>",
      "routing trace whose loads the map is judged by, beside the contiguous map (default: copies and ranks alone)",
    )
    .option("--domain <name>", "with --trace: only the rows of this domain (default: all rows)")
    .option(
      "--from <file>",
      "map in use: count the expert copies that have to be sent to get from it to this one (default: not counted)",
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "map inspect map.json --model qwen3-30b-a3b --ranks 8",
          "map inspect map.json --model qwen3-30b-a3b --ranks 8 --trace routing.safetensors",
        ],
      }),
    )
    .action(async (file: string, options: InspectMapOptions) => {
      const { inspectMap } = await import("./map.ts");
      await inspectMap(file, options);
    });
  map
    .command("convert")
    .description("write a map in the format of another engine")
    .argument("<file>", "map, in a format that a serving engine takes")
    .requiredOption("--model <id-or-file>", modelHelp)
    .option("--ranks <n>", ranksHelp, wholeNumber(1, 65_535))
    .option("--format <name>", formatHelp, "auto")
    .requiredOption("--to <format>", toHelp)
    .requiredOption("-o, --output <file>", "file to write")
    .option("--mkdir", mkdirHelp)
    .addHelpText(
      "after",
      helpBelow({
        examples: ["map convert map.json --model qwen3-30b-a3b --ranks 8 --to tensorrt-llm -o moe_load_balancer.yaml"],
      }),
    )
    .action(async (file: string, options: ConvertMapOptions) => {
      const { convertMap } = await import("./map.ts");
      await convertMap(file, options);
    });
  map
    .command("export")
    .description("write the placement of a scenario as a map that an engine takes")
    .argument("<scenario>", "scenario; its policy.placement makes the map")
    .option("--set <path=value>", "override a value of the scenario (repeatable)", collect)
    .option("--param <NAME=value>", "value of a parameter in paths of the scenario (repeatable)", collect)
    .requiredOption("--to <format>", toHelp)
    .requiredOption("-o, --output <file>", "file to write")
    .option("--mkdir", mkdirHelp)
    .addHelpText("after", helpBelow({ examples: ["map export scenarios/cluster-ep8.yaml --to sglang -o map.json"] }))
    .action(async (scenario: string, options: ExportMapOptions) => {
      const { exportMap } = await import("./map.ts");
      await exportMap(scenario, options);
    });
};
