import type { RandomStream } from "../../../core/random.ts";
import type { RequestTable } from "../../request-table.ts";
import { checkGenerateSpec } from "./check-generate-spec.ts";
import { classChoice } from "./class-choice.ts";
import { drawArrivals } from "./draw-arrivals.ts";
import type { ClassSpec, GenerateSpec } from "./generate-spec.ts";
import { lengthsOf } from "./lengths.ts";
import { digestOf } from "./table-digest.ts";
import { weighted } from "./weighted.ts";

/**
 * Draws a workload. Arrivals, the choice of classes, and each class's prompts, outputs, pairs and domains have streams
 * of their own: changing one law never changes what the others draw.
 *
 * @param tables request tables that `lengthsFrom` names.
 */
export function generateRequests(
  spec: GenerateSpec,
  rng: RandomStream,
  tables: Readonly<Record<string, RequestTable>> = {},
): RequestTable {
  checkGenerateSpec(spec, tables);
  const arrivalNs = drawArrivals(spec, rng.fork("arrivals"));
  const count = arrivalNs.length;
  const domains = [...new Set(spec.classes.flatMap(({ domains }) => Object.keys(domains ?? {})))].sort();
  const draws = spec.classes.map((each) => requestDraw(each, rng.fork(`class ${each.name}`), tables, domains));
  const chooseClass = classChoice(spec.classes, spec.phases);
  const choices = rng.fork("classes");
  const promptTokens = new Uint32Array(count);
  const outputTokens = new Uint32Array(count);
  const classOf = new Uint16Array(count);
  const domainOf = domains.length === 0 ? null : new Uint16Array(count);
  for (let request = 0; request < count; request += 1) {
    const chosen = chooseClass(request, choices.at(request));
    const { lengths, domain } = draws[chosen]!;
    classOf[request] = chosen;
    [promptTokens[request], outputTokens[request]] = lengths();
    if (domainOf !== null) domainOf[request] = domain();
  }
  const digest = digestOf([arrivalNs, promptTokens, outputTokens, classOf, domainOf ?? new Uint16Array(0)]);
  return {
    count,
    arrivalNs,
    promptTokens,
    outputTokens,
    classOf,
    classes: spec.classes.map(({ name }) => name),
    domainOf,
    domains,
    prefix: null,
    origin: {
      kind: "generated",
      name: spec.arrivals === null ? "distributions" : `distributions, ${spec.arrivals.kind} arrivals`,
      digest,
      notes: notesOf(spec, tables),
    },
  };
}

interface RequestDraw {
  /** Prompt and output tokens of the class's next request. */
  readonly lengths: () => [number, number];
  /** Index of its domain. */
  readonly domain: () => number;
}

function requestDraw(
  spec: ClassSpec,
  rng: RandomStream,
  tables: Readonly<Record<string, RequestTable>>,
  domains: readonly string[],
): RequestDraw {
  const own = Object.entries(spec.domains ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const chooseDomain = weighted(own.map(([, weight]) => weight));
  const indices = own.map(([name]) => domains.indexOf(name));
  const domainRng = rng.fork("domain");
  return { lengths: pairDraw(spec, rng, tables), domain: () => indices[chooseDomain(domainRng.uniform())]! };
}

function pairDraw(
  { lengths }: ClassSpec,
  rng: RandomStream,
  tables: Readonly<Record<string, RequestTable>>,
): () => [number, number] {
  if ("lengthsFrom" in lengths) {
    const { count, promptTokens, outputTokens } = tables[lengths.lengthsFrom] as RequestTable;
    const pairs = rng.fork("pairs");
    return () => {
      const row = pairs.below(count);
      return [promptTokens[row]!, outputTokens[row]!];
    };
  }
  const prompt = lengthsOf(lengths.prompt, rng.fork("prompt"));
  const output = lengthsOf(lengths.output, rng.fork("output"));
  return () => [prompt(), output()];
}

function notesOf(spec: GenerateSpec, tables: Readonly<Record<string, RequestTable>>): string[] {
  const notes = spec.arrivals === null ? ["sent by a closed loop"] : [];
  if (spec.phases !== undefined) notes.push(`shares of classes over ${spec.phases.length} phases`);
  for (const { name, lengths } of spec.classes) {
    if (!("lengthsFrom" in lengths)) continue;
    const origin = tables[lengths.lengthsFrom]?.origin;
    notes.push(`lengths of class ${name} drawn from ${origin?.name} (sha256 ${origin?.digest}), arrivals not`);
  }
  return notes;
}
