import { withinContext } from "./lengths.ts";
import { contextOf } from "./sections.ts";
import type { Draft, Lengths, Limits, Site, Template } from "./template.ts";

/** Requests of a scenario: how many, and how they arrive. */
export interface Load {
  readonly requests: number;
  /** Null: one person who waits for each answer. */
  readonly ratePerSecond: number | null;
}

/** What is written of a template for a site. */
export interface Made {
  readonly site: Site;
  readonly draft: Draft;
  readonly load: Load;
  readonly limits: Limits;
  /** Where the limits are from. */
  readonly limitsAre: string;
  readonly loadIs: string;
}

/** Cells of a line of comment. */
const commentWidth = 118;

/** Text as comment lines, wrapped at words. */
function commentLines(text: string): string[] {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > commentWidth) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

const distribution = ({ mean, p50, max }: Lengths["isl"]): string =>
  `{ kind: lognormal, mean: ${mean}, p50: ${p50}, max: ${max} }`;

/** `traffic`. */
function trafficLines(template: Template, site: Site, load: Load): string[] {
  const lengths = withinContext(template.lengths, contextOf(site, template.contextTokens));
  const arrivals =
    load.ratePerSecond === null
      ? "{ kind: closed, maxConcurrency: 1 }"
      : `{ kind: poisson, requestRate: ${plainNumber(load.ratePerSecond)}/s }`;
  return [
    "traffic:",
    "  kind: generated",
    `  requests: ${load.requests}`,
    `  arrivals: ${arrivals}`,
    `  isl: ${distribution(lengths.isl)} # ${lengths.source}`,
    `  osl: ${distribution(lengths.osl)}`,
  ];
}

const plainNumber = (x: number): string => String(Number(x.toPrecision(6)));

/** A limit as an SLO has it: `850ms`, `1.5s`. */
const limitText = (ms: number): string => (ms >= 1000 ? `${plainNumber(ms / 1000)}s` : `${plainNumber(ms)}ms`);

/** The scenario file; `name` is that of the template. */
export function scenarioText(name: string, template: Template, made: Made, schema: string): string {
  const { site, draft, load, limits } = made;
  const rows = template.next.map(([words, shows]) => `#   ${words}`.padEnd(58).concat(` ${shows}`));
  return [
    `# yaml-language-server: $schema=${schema}`,
    "#",
    ...commentLines(template.question),
    ...commentLines(
      `Written by moecast init --template ${name}: change what differs from yours. Then try, for instance:`,
    ),
    ...rows,
    "version: 1",
    `name: ${site.name}`,
    `description: ${JSON.stringify(`${site.spec.name} under ${site.engine} on ${site.systemName}: ${draft.title}`)}`,
    "",
    ...draft.sections,
    "",
    ...commentLines(made.loadIs),
    ...trafficLines(template, site, load),
    "",
    ...commentLines(
      "Which experts each token visits: generated, with the popularity of the model's family. A recording of your own " +
        "traffic says more: kind trace, with its file (docs/traces.md).",
    ),
    `routing: ${template.routing}`,
    "",
    ...commentLines(made.limitsAre),
    "slo:",
    `  ttft: p(${limits.percentile})<${limitText(limits.ttftMs)}`,
    `  tpot: p(${limits.percentile})<${limitText(limits.tpotMs)}`,
    "",
  ].join("\n");
}
