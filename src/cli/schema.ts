import { jsonDocument } from "../core/json.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import type { PolicyTables } from "../policy/policy-tables.ts";
import { scenarioJsonSchema } from "../scenario/json-schema.ts";
import { profileJsonSchema } from "../scenario/profile-json-schema.ts";
import { processIo } from "./io.ts";
import { policiesWith } from "./plugins.ts";

export interface SchemaOptions {
  readonly output?: string;
  readonly mkdir?: boolean;
  readonly plugin?: readonly string[];
}

/** Schemas by what they describe. */
export const schemas = {
  scenario: scenarioJsonSchema,
  device: () => profileJsonSchema("device"),
  system: () => profileJsonSchema("system"),
  engine: () => profileJsonSchema("engine"),
} as const satisfies Record<string, (policies: PolicyTables) => object>;

/** Prints a schema, or writes it to a file. */
export async function schema(what: keyof typeof schemas, { output, mkdir, plugin }: SchemaOptions): Promise<void> {
  const io = processIo(true);
  if (output !== undefined) await prepareOutput(output, { mkdir: mkdir === true });
  const text = jsonDocument(schemas[what](await policiesWith(plugin)));
  if (output === undefined) io.out(text);
  else {
    await io.writeText(output, text);
    io.out(`JSON Schema of ${what} files written to ${output}\n`);
  }
}
