import { writeFileSync } from "node:fs";
import { scenarioJsonSchema } from "../src/scenario/json-schema.ts";
import { scenarioReference } from "../src/scenario/reference.ts";

// Writes what is generated from the scenario schema: the JSON Schema for editors, and the reference for people.
writeFileSync("schema/scenario.schema.json", `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
writeFileSync("docs/scenarios.md", scenarioReference());
