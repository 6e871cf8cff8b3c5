import { definitions } from "../src/report/definitions.ts";
import { metricTable } from "../src/report/metric-catalogue.ts";
import { hardwareTable } from "../src/report/profile-catalogue.ts";
import { startUpTable } from "../src/report/start-up-catalogue.ts";
import { scenarioJsonSchema } from "../src/scenario/json-schema.ts";
import { scenarioReference } from "../src/scenario/reference.ts";
import { publishedRouting } from "../src/trace/synthesis/published-routing.ts";
import { fittedWeights } from "../src/trace/synthesis/published-weights.ts";

const linePerItem = (items: readonly unknown[]): string =>
  `[\n${items.map((item) => JSON.stringify(item)).join(",\n")}\n]\n`;

/** Files of the repository whose text is made from code, by path from its root. */
export const generatedFiles = {
  "docs/hardware.md": hardwareTable,
  "docs/metrics.md": metricTable,
  "docs/scenarios.md": scenarioReference,
  "docs/start-up.md": startUpTable,
  "schema/scenario.schema.json": () => `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`,
  "src/trace/published/qwen3-30b-a3b-weights.json": () => linePerItem(fittedWeights(publishedRouting["qwen3-30b-a3b"])),
} as const satisfies Record<string, () => string>;

const definitionsHead = "| figure | definition |\n|---|---|\n";

/** The README with the table of figures that reports print. */
export function withDefinitions(readme: string): string {
  const rows = Object.entries(definitions).map(([name, meaning]) => `| ${name} | ${meaning} |\n`);
  const start = readme.indexOf(definitionsHead);
  const first = start + definitionsHead.length;
  if (start < 0) throw new Error(`README.md has no table that begins with ${definitionsHead}`);
  return readme.slice(0, first) + rows.join("") + readme.slice(readme.indexOf("\n\n", first) + 1);
}
