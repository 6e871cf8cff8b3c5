import { refuse } from "../../../core/errors.ts";
import type { Stream, TableShape } from "./table-shape.ts";
import { type Tracks, track } from "./tracks.ts";

/** A stream with the sums of both hashes over its tokens. */
export interface SummedStream extends Stream {
  sumA: number;
  sumB: number;
}

export interface Completeness extends Pick<TableShape, "missing" | "missingAtEnds" | "unsure"> {
  /** A layer of a stream with fewer tokens than others. */
  readonly firstMissing: { readonly stream: Stream; readonly layer: number; readonly cells: number } | null;
  /** Whether tokens certainly come twice. */
  readonly repeats: boolean;
  /** Groups in which a row of a layer is not the token of the same place. */
  readonly disordered: ReadonlySet<number>;
}

/** Holds the layers of every stream against its tokens: which are missing, which come twice, and whether all say the same of them. */
export function completenessOf(
  streams: readonly SummedStream[],
  layers: readonly number[],
  tracksOf: ReadonlyMap<number, Tracks>,
  file: string,
): Completeness {
  let missing = 0;
  let firstMissing: Completeness["firstMissing"] = null;
  let missingAtEnds = true;
  let repeats = false;
  const unsure = new Set<number>();
  const disordered = new Set<number>();
  for (const stream of streams) {
    const { tokens, index, group } = stream;
    let facts: number | null = null;
    for (const layer of layers) {
      const of = (field: number) => tracksOf.get(layer)?.get(index, field) ?? 0;
      const cells = of(track.cells);
      const ascends = of(track.restarts) + of(track.disorder) === 0;
      const isWhole = cells === tokens.size && of(track.sumA) === stream.sumA && of(track.sumB) === stream.sumB;
      if (!isWhole || !ascends) disordered.add(group);
      if (isWhole) {
        facts ??= of(track.facts);
        if (facts !== of(track.facts))
          refuse({
            file,
            at: `layer ${layer}`,
            expected: `the same phase, step, position and vocabulary id of a token in all layers, as in layer ${layers[0]}`,
            found: "others",
            hint: "a column that numbers lines or layers is none of these",
          });
        continue;
      }
      if (!ascends) unsure.add(index);
      if (cells >= tokens.size || of(track.restarts) > 0) repeats = true;
      if (cells >= tokens.size) continue;
      missing += tokens.size - cells;
      firstMissing ??= { stream, layer, cells };
      const isHead = ascends && of(track.first) === tokens.first && of(track.last) + 1 - of(track.first) === cells;
      if (cells > 0 && !isHead) missingAtEnds = false;
    }
  }
  return { missing, firstMissing, missingAtEnds, repeats, unsure, disordered };
}
