import type { RoutingTable } from "../routing-table.ts";
import { writePieces } from "./rows-to-file.ts";

/** `domain,sequence,position,layer,experts` with the ids of a row separated by spaces; layers are model layers. */
export async function writeExpertCsv(table: RoutingTable, _model: string, path: string): Promise<void> {
  await writePieces(path, lines(table));
}

function* lines(table: RoutingTable): Iterable<string> {
  yield "domain,sequence,position,layer,experts\n";
  const { layers, topK, experts, ids, sequenceStarts } = table;
  let domain = 0;
  for (let s = 0; s + 1 < sequenceStarts.length; s++) {
    const from = sequenceStarts[s]!;
    while (from >= table.domainStarts[domain + 1]!) domain++;
    const name = JSON.stringify(table.domains[domain] ?? "");
    for (let row = from; row < sequenceStarts[s + 1]!; row++) {
      let text = "";
      for (let layer = 0; layer < layers; layer++) {
        const at = (row * layers + layer) * topK;
        text += `${name},${s},${row - from},${table.modelLayers[layer]},${ids
          .subarray(at, at + topK)
          .filter((id) => id < experts)
          .join(" ")}\n`;
      }
      yield text;
    }
  }
}
