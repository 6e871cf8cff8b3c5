import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import type { JsonLine } from "./json-lines.ts";
import type { LayerRows } from "./step-locality.ts";
import { type RowRun, rowAfterDropping } from "./warm-up.ts";

/** Rows of a layer that are kept to look at, and layers that are. */
const sampleMax = { rows: 1 << 15, layers: 4 } as const;

/** What the lines of one layer say of steps and requests. */
interface LayerSteps {
  rows: number;
  /** Rows that begin a step: where the index begins again, or the number of the step changes. */
  readonly starts: number[];
  previous: number;
  step: string | null;
  /** Hash over the requests of the rows, and how many rows name one. */
  requests: number;
  named: number;
  readonly sample: number[];
  width: number;
}

/** Steps and requests of a log, read line by line; all layers have to agree, or rows of different tokens would be joined. */
export class LogSteps {
  readonly #layers = new Map<number, LayerSteps>();
  /** Number of each request, by first appearance in the log. */
  readonly #requests = new Map<string, number>();
  /** Number of the request of each row of the layer that came first. */
  readonly #requestOf: number[] = [];
  #gap: Problem | null = null;

  push(layer: number, row: JsonLine, ids: readonly number[]): void {
    let steps = this.#layers.get(layer);
    if (steps === undefined) {
      steps = { rows: 0, starts: [], previous: -1, step: null, requests: 0, named: 0, sample: [], width: ids.length };
      this.#layers.set(layer, steps);
    }
    const place = row.has("token_idx") ? row.whole("token_idx") : steps.previous + 1;
    const step = stepOf(row);
    const begins = steps.rows === 0 || (step === null ? place === 0 : step !== steps.step);
    if (begins) steps.starts.push(steps.rows);
    else if (step === null && place !== steps.previous + 1)
      this.#gap ??= {
        file: row.file,
        line: row.line,
        at: "token_idx",
        expected: `0 or ${steps.previous + 1}`,
        found: place,
        hint: "an index that is neither a place in the batch nor runs on needs a req_id that names the request",
      };
    steps.previous = place;
    steps.step = step;
    if (row.has("req_id")) {
      const request = this.#numberOf(row.label("req_id"));
      steps.requests = (Math.imul(steps.requests, 0x01000193) + request + 1) | 0;
      if (steps === this.#first) this.#requestOf.push(request);
      steps.named += 1;
    }
    if (steps.rows < sampleMax.rows && this.#layers.size <= sampleMax.layers && ids.length === steps.width)
      steps.sample.push(...ids);
    steps.rows += 1;
  }

  /** Refuses an index that neither continues nor begins again: its rows cannot be put into steps. */
  refuseGaps(): void {
    if (this.#gap !== null) throw new InvalidInputError([this.#gap]);
  }

  /** Rows per step. */
  sizes(file: string): number[] {
    const [firstLayer = 0] = this.#layers.keys();
    const first = this.#first;
    if (first === undefined) return [];
    for (const [layer, steps] of this.#layers) {
      const refused = (found: string): never =>
        refuse({
          file,
          at: `layer ${layer}`,
          expected: `the ${first.starts.length} steps and ${first.rows} rows of layer ${firstLayer}`,
          found,
          hint: "files that were recorded in different runs cannot be joined row by row",
        });
      if (steps.rows !== first.rows || steps.starts.join() !== first.starts.join())
        refused(`${steps.starts.length} steps and ${steps.rows} rows`);
      if (steps.requests !== first.requests) refused("rows of other requests");
    }
    return first.starts.map((start, i) => (first.starts[i + 1] ?? first.rows) - start);
  }

  /**
   * Sequence and position of a kept row where the log names more than one request and they are not the steps themselves:
   * an id for each step names no request. Null otherwise.
   */
  requests(dropped: readonly RowRun[]): ((row: number) => { sequence: number; position: number }) | null {
    const first = this.#first;
    const requests = this.#requestOf;
    if (first === undefined || this.#requests.size < 2 || first.named !== first.rows) return null;
    const sequences: number[] = [];
    const positions: number[] = [];
    const tokens: number[] = [];
    let runs = 0;
    for (const [row, request] of requests.entries()) {
      if (row === 0 || request !== requests[row - 1]) runs += 1;
      if (rowAfterDropping(row, dropped) === null) continue;
      sequences.push(request);
      positions.push(tokens[request] ?? 0);
      tokens[request] = (tokens[request] ?? 0) + 1;
    }
    const asSteps =
      runs === first.starts.length && first.starts.every((row) => row === 0 || requests[row] !== requests[row - 1]);
    if (asSteps && runs === this.#requests.size) return null;
    return (row) => ({ sequence: sequences[row] ?? 0, position: positions[row] ?? 0 });
  }

  /** The first rows of some layers, without those dropped. */
  sample(dropped: readonly RowRun[]): LayerRows[] {
    return [...this.#layers.values()]
      .filter(({ sample }) => sample.length > 0)
      .map(({ sample, width }) => ({
        topK: width,
        ids: Int32Array.from(sample.filter((_id, i) => rowAfterDropping(Math.floor(i / width), dropped) !== null)),
      }));
  }

  get #first(): LayerSteps | undefined {
    return this.#layers.values().next().value;
  }

  #numberOf(request: string): number {
    const known = this.#requests.get(request);
    if (known !== undefined) return known;
    this.#requests.set(request, this.#requests.size);
    return this.#requests.size - 1;
  }
}

/** Number of the engine step that a line names; null where it names none. */
function stepOf(row: JsonLine): string | null {
  for (const key of ["step", "step_idx", "step_id", "iteration"]) if (row.has(key)) return row.label(key);
  return null;
}
