import { hardwareTable } from "../src/hardware/describe.ts";
import { scenarioJsonSchema } from "../src/scenario/json-schema.ts";
import { scenarioReference } from "../src/scenario/reference.ts";

/** Files of the repository whose text is made from code, by path from its root. */
export const generatedFiles = {
  "docs/hardware.md": hardwareTable,
  "docs/scenarios.md": scenarioReference,
  "schema/scenario.schema.json": () => `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`,
} as const satisfies Record<string, () => string>;
