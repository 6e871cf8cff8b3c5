import { sloMetricNames, sloMetrics } from "../metrics/slo-metrics.ts";
import { alternatives, definitionOf, type JsonSchema, scenarioJsonSchema } from "./json-schema.ts";
import { sloGrammar } from "./slo-expression.ts";

/** The reference of scenario files as Markdown, made from the schema alone. */
export function scenarioReference(): string {
  const root = scenarioJsonSchema();
  const required = new Set(root.required ?? []);
  const sections = Object.entries(root.properties ?? {});
  const isSection = (section: JsonSchema) =>
    alternatives(section.items ?? section, root).some((item) => item.properties !== undefined);
  const scalars = sections.filter(([, section]) => !isSection(section));
  const parts = sections
    .filter(([, section]) => isSection(section))
    .map(([key, section]) => {
      if (key === "slo") return sloPart(section, root);
      if (section.items !== undefined) return listPart(key, section, section.items, root);
      return sectionPart(key, section, required.has(key), root);
    });
  const top = table(scalars.map(([key, section]) => row(key, section, required.has(key), root)));
  return `${[intro, top, ...parts, ...definitionParts(root)].join("\n\n")}\n`;
}

const intro = `# Scenario files

This page and \`schema/scenario.schema.json\`, which editors read, are generated from one schema by
\`npm run generate\`. The first line of a scenario tells the editor where the schema is:

\`\`\`yaml
# yaml-language-server: $schema=../schema/scenario.schema.json
\`\`\`

- A scenario is one YAML document. Unknown keys, duplicate keys, unknown tags, infinite numbers and more than 1 MiB are
  refused; every problem is reported with file, line and column, all together.
- Keys are in camel case and otherwise the words of vLLM's flags and of aiconfigurator: \`--max-num-seqs\` is
  \`maxNumSeqs\`, \`isl\` and \`osl\` are input and output sequence length.
- Quantities carry their unit: \`800ms\`, \`24GiB\`, \`25GB/s\`, \`16/s\`. KiB is 1024 bytes, KB is 1000.
- A path is the value of a key named \`file\`. It starts at the scenario's folder, and \`\${NAME}\` in it is the value of
  \`--param NAME=value\`, else the default under \`params\`.
- \`--set path=value\` replaces one value: \`--set policy.offload.slots=4\`, \`--set 'slo.ttft[0]=p(99)<1s'\`;
  \`--set policy.offload=null\` removes a key.

## Top level`;

function sectionPart(key: string, section: JsonSchema, required: boolean, root: JsonSchema): string {
  const text = `## ${key}${required ? "" : " (optional)"}\n\n${section.description ?? ""}`;
  const kinds = alternatives(section, root);
  if (kinds.length === 1) return `${text}\n\n${table(kinds.flatMap((kind) => rowsOf(kind, "", root)))}`;
  const parts = kinds.map((kind) => {
    const name = String(kind.properties?.["kind"]?.const ?? "");
    return `### ${key}: ${name}\n\n${kind.description ?? ""}\n\n${table(rowsOf(kind, "", root))}`;
  });
  return [text, ...parts].join("\n\n");
}

/** A list of mappings; keys that are sections of the scenario too are described there. */
function listPart(key: string, section: JsonSchema, item: JsonSchema, root: JsonSchema): string {
  const required = new Set(item.required ?? []);
  const rows = Object.entries(item.properties ?? {}).flatMap(([name, value]) =>
    root.properties?.[name]?.properties === undefined || value.properties === undefined
      ? rowsOf({ properties: { [name]: value }, required: required.has(name) ? [name] : [] }, "", root)
      : [`| \`${name}\` | as [${name}](#${anchorOf(name, root)}) |  | ${value.description ?? ""} |`],
  );
  return `## ${key} (optional)\n\n${section.description ?? ""}\n\n${table(rows)}`;
}

const anchorOf = (section: string, root: JsonSchema): string =>
  root.required?.includes(section) === true ? section : `${section}-optional`;

/** A section for each shared shape that is a mapping, such as a number of tokens. */
function definitionParts(root: JsonSchema): string[] {
  return Object.entries(root.definitions ?? {}).flatMap(([name, definition]) => {
    const kinds = alternatives(definition, root).filter((item) => item.properties?.["kind"] !== undefined);
    if (kinds.length === 0) return [];
    return [`## ${titleOf(name, root)}\n\n${table(rowsByKind(kinds, "", root))}`];
  });
}

const titleOf = (name: string, root: JsonSchema): string => root.definitions?.[name]?.title ?? name;

function sloPart(section: JsonSchema, root: JsonSchema): string {
  const limits = section.properties?.["perRequest"];
  const metrics = sloMetricNames.map((name) => {
    const { meaning, aggregations, byClass } = sloMetrics[name];
    const forms = aggregations.map((kind) => (kind === "percentile" ? "p(N)" : kind)).join(", ");
    return `| \`${name}\` | ${forms} | ${byClass ? "yes" : "no"} | ${meaning} |`;
  });
  return `## slo (optional)

${section.description ?? ""} A key is a metric, or a metric of one class of requests; a
value is an expression, a \`{threshold, level}\`, or a list of them.

\`\`\`yaml
slo:
  ttft: ["p(99)<800ms", { threshold: "p(99.9)<2s", level: warn }]
  "tpot{class:chat}": p(99)<40ms
  goodput: rate>99%
  perRequest: { ttft: 1s, tpot: 50ms }
\`\`\`

\`\`\`text
${sloGrammar}
\`\`\`

\`med\` is \`p(50)\`, \`avg\` is \`mean\`. A metric without a tag covers the requests of all classes.

| metric | aggregations | by class | meaning |
|---|---|---|---|
${metrics.join("\n")}

Percentiles are exact over the counted requests, linearly interpolated between order statistics (type 7). Those of \`itl\`
come from a histogram with relative error below 2^-8. An SLO fails

- when there are no samples;
- when its percentile has fewer than 10 samples beyond it (p(99) of fewer than 1,000) and not all of the 95 % interval passes;
- when it is about latency or goodput, and the deployment is overloaded (its latencies grow as long as requests arrive) or
  the run is too short to tell.

Level \`error\`, the default, makes \`moecast run\` exit with 99; \`warn\` only reports.

### slo.perRequest

${limits?.description ?? ""}

${table(limits === undefined ? [] : rowsOf(limits, "", root))}`;
}

/**
 * Rows of a mapping's keys; nested mappings follow their key, alternatives by kind, keys of all kinds after them.
 * Shared shapes have their own section.
 */
function rowsOf(schema: JsonSchema, prefix: string, root: JsonSchema): string[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    const own = row(name, value, required.has(key), root);
    if (definitionOf(value.items ?? value) !== null) return [own];
    const below = value.items === undefined ? `${name}.` : `${name}[].`;
    const inner = alternatives(value.items ?? value, root).filter((item) => item.properties !== undefined);
    const kinds = inner.filter((item) => item.properties?.["kind"]?.const !== undefined);
    const others = inner.filter((item) => !kinds.includes(item));
    return [own, ...others.flatMap((item) => rowsOf(item, below, root)), ...rowsByKind(kinds, below, root)];
  });
}

/** Rows of alternatives kind by kind; keys that all of them have come once, at the end. */
function rowsByKind(kinds: readonly JsonSchema[], prefix: string, root: JsonSchema): string[] {
  const shared = sharedKeys(kinds);
  return [
    ...kinds.flatMap((kind) => kindRows(keep(kind, shared, false), prefix, root)),
    ...kinds.slice(0, 1).flatMap((kind) => rowsOf(keep(kind, shared, true), prefix, root)),
  ];
}

/** Keys that several kinds all have, with the same meaning. */
function sharedKeys([first, ...rest]: readonly JsonSchema[]): ReadonlySet<string> {
  const same = ([key, value]: [string, JsonSchema]) =>
    rest.every(
      (kind) =>
        JSON.stringify(kind.properties?.[key]) === JSON.stringify(value) &&
        kind.required?.includes(key) === first?.required?.includes(key),
    );
  if (first === undefined || rest.length === 0) return new Set();
  return new Set(
    Object.entries(first.properties ?? {})
      .filter(same)
      .map(([key]) => key),
  );
}

/** A mapping with those of its keys that are of a set, or those that are not. */
const keep = (schema: JsonSchema, keys: ReadonlySet<string>, inSet: boolean): JsonSchema => ({
  ...schema,
  properties: Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([key]) => keys.has(key) === inSet)),
});

/** Rows of one kind: its name and meaning, then the keys it has besides. */
function kindRows(item: JsonSchema, prefix: string, root: JsonSchema): string[] {
  const { kind, ...rest } = item.properties ?? {};
  const holder = prefix === "" ? "" : `${prefix.slice(0, -1)} `;
  const name = String(kind?.const ?? "");
  return [
    `| \`${prefix}kind: ${name}\` | | | ${item.description ?? ""} |`,
    ...rowsOf({ ...item, properties: rest }, `${holder}${name}: `, root),
  ];
}

function row(name: string, schema: JsonSchema, required: boolean, root: JsonSchema): string {
  const initial = schema.default === undefined ? (required ? "required" : "") : `\`${JSON.stringify(schema.default)}\``;
  return `| \`${name}\` | ${typeOf(schema, root)} | ${initial} | ${schema.description ?? ""} |`;
}

const table = (rows: readonly string[]): string =>
  rows.length === 0 ? "" : ["| key | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n");

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  boolean: "true or false",
  object: "mapping",
};

function typeOf(schema: JsonSchema, root: JsonSchema): string {
  const shared = definitionOf(schema);
  if (shared !== null) {
    const title = titleOf(shared, root);
    return `[${title.toLowerCase()}](#${title.toLowerCase().replaceAll(" ", "-")})`;
  }
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(", ");
  if (schema.examples?.[0] !== undefined) return `such as \`${schema.examples[0]}\``;
  const kinds = alternatives(schema, root);
  if (kinds.length > 1)
    return kinds.every((item) => item.properties !== undefined)
      ? "one of these kinds"
      : kinds.map((item) => typeOf(item, root)).join(" or ");
  if (schema.items !== undefined)
    return schema.items.properties === undefined ? `list of ${typeOf(schema.items, root)}` : "list of mappings";
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  return types.map((type) => typeWords[type] ?? type).join(" or ");
}
