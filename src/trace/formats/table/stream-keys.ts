import { refuse } from "../../../core/errors.ts";
import type { TableCell } from "./table-cell.ts";
import type { TableReading } from "./table-shape.ts";

/** The key of the stream that a cell belongs to; passes are told apart by whoever reads in order. */
export class StreamKeys {
  readonly #reading: TableReading;
  /** Neighbouring rows are mostly of one group. */
  #last: { request: string | null; domain: string | null; fileIndex: number; key: string } = {
    request: null,
    domain: null,
    fileIndex: 0,
    key: "",
  };
  readonly #layerPasses = new Map<string, { pass: number; first: number; last: number }>();

  constructor(reading: TableReading) {
    this.#reading = reading;
  }

  groupKey({ request, domain, fileIndex }: TableCell): string {
    const last = this.#last;
    if (last.request !== request || last.domain !== domain || last.fileIndex !== fileIndex || last.key === "") {
      const key = JSON.stringify([this.#reading.filesApart ? fileIndex : null, request, domain]);
      this.#last = { request, domain, fileIndex, key };
    }
    return this.#last.key;
  }

  /** Step or pass of the next cell of a group. */
  stepOf(group: string, { step, layer, token, file, line }: TableCell): number {
    if (this.#reading.unit === "request") return 0;
    if (this.#reading.unit === "step") return step ?? 0;
    const key = `${layer} ${group}`;
    const passes = this.#layerPasses.get(key);
    if (passes === undefined) {
      this.#layerPasses.set(key, { pass: 0, first: token, last: token });
      return 0;
    }
    if (token <= passes.last) {
      if (token !== passes.first)
        refuse({ file, line, at: "token", expected: `${passes.first} or more than ${passes.last}`, found: token });
      passes.pass += 1;
    }
    passes.last = token;
    return passes.pass;
  }
}
