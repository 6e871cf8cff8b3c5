import { domainsOfFiles, type TraceImporter } from "./importer.ts";
import { firstObject, jsonLines } from "./json-lines.ts";
import { importLog, type LogCell, missingNote, scanLog } from "./layered-log.ts";
import { importedProvenance } from "./provenance.ts";

/**
 * JSON lines of a router hook: one line per problem, layer and token with `dataset`, `problem_id`, `layer`,
 * `token_idx`, `experts` and optionally `gating_probs`. `token_idx` counts the rows of a layer, so a row that the hook
 * skipped shortens that layer: its last rows are marked absent.
 */
export const problemLog: TraceImporter = {
  description: "router-hook JSON lines: dataset, problem_id, layer, token_idx, experts, gating_probs",

  detects({ text }): boolean {
    const first = firstObject(text);
    return first !== null && "problem_id" in first && "experts" in first && "token_idx" in first;
  },

  async import(paths, options, files) {
    const problems = new ProblemNumbers(options.domains === undefined ? null : domainsOfFiles(paths, options));
    const warnings: string[] = [];
    const shape = await scanLog(cellsOf(paths, problems), options, warnings);
    const note = missingNote(shape);
    if (note !== null) warnings.push(note);
    return importLog({
      shape,
      model: options.model ?? "unknown",
      domains: problems.domains,
      provenance: importedProvenance(
        "router hook",
        "each problem of each dataset is one sequence",
        options,
        files,
        note === null ? [] : [note],
      ),
      columns: ["sequence", "position", "domain"],
      warnings,
      cells: () => cellsOf(paths, problems),
      place: (stream, row) => ({ sequence: stream, position: row, domain: problems.domainOf[stream] ?? 0 }),
    });
  },
};

/** Numbers problems by first appearance and remembers the domain of each. */
class ProblemNumbers {
  readonly domains: string[] = [];
  readonly domainOf: number[] = [];
  readonly #given: readonly string[] | null;
  readonly #numbers = new Map<string, number>();

  constructor(given: readonly string[] | null) {
    this.#given = given;
  }

  numberOf(dataset: string, problem: string, path: number): number {
    const key = JSON.stringify([dataset, problem]);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(key, number);
    const domain = this.#given?.[path] ?? dataset;
    if (!this.domains.includes(domain)) this.domains.push(domain);
    this.domainOf.push(this.domains.indexOf(domain));
    return number;
  }
}

async function* cellsOf(paths: readonly string[], problems: ProblemNumbers): AsyncGenerator<LogCell> {
  for (const [index, path] of paths.entries())
    for await (const row of jsonLines(path)) {
      const ids = row.wholes("experts");
      yield {
        file: path,
        line: row.line,
        stream: problems.numberOf(row.label("dataset"), row.label("problem_id"), index),
        layer: row.whole("layer"),
        token: row.whole("token_idx"),
        ids,
        weights: row.has("gating_probs") ? row.numbers("gating_probs", ids.length) : null,
      };
    }
}
