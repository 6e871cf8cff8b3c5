import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "golden", "sarif-2.1.0.schema.json"), "utf8"),
) as object;
// The formats of the schema are URIs and dates.
const validate = new Ajv2020({
  strict: false,
  formats: {
    uri: (text: string) => URL.canParse(text),
    "uri-reference": isReference,
    "date-time": true,
    uuid: true,
    email: true,
  },
}).compile(schema);

function isReference(text: string): boolean {
  return (
    /^[!#-;=?-Z_a-z~%[\]]*$/.test(text) && !/%(?![0-9A-F]{2})/i.test(text) && URL.canParse(text, "file:///folder/")
  );
}

export interface SarifResult {
  readonly ruleId: string;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
      readonly region: { readonly startLine: number; readonly startColumn?: number };
    };
  }[];
}

export interface SarifRun {
  readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } };
  readonly invocations: readonly { readonly toolExecutionNotifications?: readonly object[] }[];
  readonly results: readonly SarifResult[];
}

/** The run of a SARIF text that its schema holds for valid, whose results have rules. */
export function validSarif(text: string): SarifRun {
  const document = JSON.parse(text) as { readonly runs: readonly [SarifRun] };
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  const [run] = document.runs;
  const rules = new Set(run.tool.driver.rules.map(({ id }) => id));
  for (const { ruleId } of run.results) expect(rules).toContain(ruleId);
  return run;
}
