import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type ExpertMapFormat, emptySlot, layerOf, mapOf, ranksOfMap, slotsMax } from "./expert-map.ts";

const header = "Expert,Node";

/**
 * Solutions of ExFlow (YJHMITWEB/ExFlow, solutions/*.csv): a row `Expert,Node` for every expert of the model, numbered
 * layer x experts + expert over MoE layers, and the rank that holds it. It knows no copies and no order within a rank, where experts
 * are put in ascending order; ranks with fewer experts than others leave slots empty.
 */
export const exflow: ExpertMapFormat = {
  name: "exflow",
  taken: "ExFlow's solution CSV",
  detects: (text) => /^\uFEFF?\s*"?Expert"?\s*,\s*"?Node"?\s*(?:\r?\n|$)/i.test(text),
  read(text, context) {
    const { file, moeLayers, experts } = context;
    const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
    while (lines.length > 1 && lines.at(-1)!.trim() === "") lines.pop();
    if (!this.detects(lines[0]!)) refuse({ file, line: 1, expected: header, found: lines[0] });
    const total = moeLayers.length * experts;
    const problems: Problem[] = [];
    const rankOf = new Int32Array(total).fill(-1);
    for (const [index, row] of lines.slice(1).entries()) {
      const line = index + 2;
      const [, id = "", node = ""] = /^\s*(\d{1,9})\s*,\s*(\d{1,9})\s*$/.exec(row) ?? [];
      // More ranks than experts would leave ranks without any.
      const ranks = context.ranks ?? experts;
      if (id === "") problems.push({ file, line, expected: "two whole numbers: expert, node", found: row });
      else if (Number(id) >= total)
        problems.push({
          file,
          line,
          expected: `an expert below ${moeLayers.length} layers x ${experts}`,
          found: Number(id),
        });
      else if (Number(node) >= ranks)
        problems.push({ file, line, expected: `a node below ${ranks}`, found: Number(node) });
      else if (rankOf[Number(id)] !== -1)
        problems.push({ file, line, expected: "each expert once", found: `expert ${id} again` });
      else rankOf[Number(id)] = Number(node);
      if (problems.length > 50) break;
    }
    const missing = rankOf.indexOf(-1);
    if (missing >= 0 && problems.length === 0)
      problems.push({
        file,
        expected: `a row for each of ${moeLayers.length} layers x ${experts} experts`,
        found: `none for expert ${missing}`,
        hint: "is it the map of another model?",
      });
    if (problems.length > 0) throw new InvalidInputError(problems);
    const ranks = context.ranks ?? rankOf.reduce((most, rank) => Math.max(most, rank), 0) + 1;
    const held = moeLayers.map((_, layer) => {
      const ofRank = Array.from({ length: ranks }, (): number[] => []);
      for (let expert = 0; expert < experts; expert++) ofRank[rankOf[layer * experts + expert]!]!.push(expert);
      return ofRank;
    });
    const perRank = held.reduce((most, ofRank) => Math.max(most, ...ofRank.map((one) => one.length)), 0);
    if (perRank * ranks > slotsMax)
      refuse({ file, expected: `at most ${slotsMax} slots`, found: `${ranks} ranks of ${perRank}` });
    const listed = held.map((ofRank, layer) => ({
      at: `layer ${layer}`,
      experts: ofRank.flatMap((one) => [...one, ...Array.from({ length: perRank - one.length }, () => emptySlot)]),
    }));
    return mapOf(context, listed, { ranks, twins: false });
  },
  write(map, context) {
    const ranks = ranksOfMap(map, context, "ExFlow's CSV");
    const perRank = map.slots / ranks;
    const rows: string[] = [];
    for (let layer = 0; layer < map.layers; layer++) {
      const rankOf = new Int32Array(map.experts).fill(-1);
      for (const [slot, expert] of layerOf(map, layer).entries()) {
        if (expert === emptySlot) continue;
        if (rankOf[expert] !== -1)
          refuse({
            at: `layer ${layer}, slot ${slot}`,
            expected: "each expert once: ExFlow's CSV states no copies",
            found: `expert ${expert} again`,
          });
        rankOf[expert] = Math.floor(slot / perRank);
      }
      for (const [expert, rank] of rankOf.entries()) rows.push(`${layer * map.experts + expert},${rank}`);
    }
    return `${header}\n${rows.join("\n")}\n`;
  },
  apply: (_map, file) => `${file}: read by ExFlow's own scripts; no serving engine takes it`,
};
