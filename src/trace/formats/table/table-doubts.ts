import { type Problem, refuse } from "../../../core/errors.ts";
import { fileName } from "../importer.ts";
import { countedFromOne } from "../recorded-layers.ts";
import type { TableMap } from "./fields.ts";
import type { TableReading, TableShape } from "./table-shape.ts";
import type { Tally } from "./tally.ts";

/** A log may skip tokens, but not so many that the trace would be mostly empty. */
const cellsMissingMax = 0.5;

/** Refuses a table that is no recording of whole tokens. */
export function checkWhole(
  { missing, grid, firstMissing, topK }: TableShape,
  { unit }: TableReading,
  stated: number | undefined,
  file: string,
): void {
  if (missing > grid * cellsMissingMax)
    refuse({
      file,
      expected: "rows for at least half of all tokens and layers",
      found: `${grid - missing} of ${grid}; ${firstMissing}`,
    });
  // Passes are counted layer by layer, so one that a layer lacks would shift all that follow.
  if (missing > 0 && unit === "pass")
    refuse({
      file,
      expected: "as many tokens in every layer each time their numbers begin anew",
      found: firstMissing,
      hint: "name the column of the request or the step: --map request=... or step=...",
    });
  if (stated !== undefined && stated !== topK)
    refuse({ file, expected: `${stated} experts in the fullest rows, as --top-k says`, found: topK });
}

/** What to say of a column that was taken for the numbers of tokens by its name, and may hold ids of a vocabulary. */
export function vocabularyIds({ token, position }: TableMap, found: string): Problem {
  return {
    at: token?.[0]?.text ?? "token",
    expected: "numbers of tokens",
    found,
    hint:
      "they may be ids of a vocabulary: with --map, " +
      (position === undefined
        ? "leave token out where the rows of a layer are in order, or name the column that numbers tokens"
        : `leave token out, as ${position[0]?.text} numbers tokens`) +
      "; name it in --map if it is right",
  };
}

/** What may be wrong with a table though it can be read. */
export function doubtsOf(
  { idMin, idMax, selections, missing, missingAtEnds, scattered, fused }: TableShape,
  experts: number | undefined,
): string[] {
  const doubts: string[] = [];
  const doubt = countedFromOne(idMin, idMax, selections, experts);
  if (doubt !== null && !fused.notes.includes(doubt)) doubts.push(doubt);
  if (scattered !== null)
    doubts.push(`tokens are put in the order of their numbers (${scattered}): they may be ids of a vocabulary`);
  if (missing > 0 && missingAtEnds)
    doubts.push(
      "rows are missing at the ends of layers alone: the column of the token may count what was logged; then layers are misaligned",
    );
  return doubts;
}

/** What was left out of a table, for the person who imports and for the header. */
export function tallyNotes({ others, firstOther, empty }: Tally): string[] {
  const notes: string[] = [];
  if (firstOther !== null)
    notes.push(
      `${others} records have none of the columns, the first in line ${firstOther.line} of ${fileName(firstOther.file)}: left out`,
    );
  if (empty > 0) notes.push(`${empty} rows or places hold no expert (-1, nothing, an empty list): not recorded`);
  return notes;
}

/** What was made of a table. */
export function notesOf({
  blankLayers,
  short,
  firstShort,
  topK,
  missing,
  grid,
  firstMissing,
  sorted,
  looksForWarmUp,
}: TableShape): string[] {
  const notes: string[] = [];
  if (blankLayers.length > 0)
    notes.push(`layers ${blankLayers.join(", ")} hold expert 0 alone, as dense layers do in buffers for all: left out`);
  if (missing > 0)
    notes.push(
      `${missing} of ${grid} rows of a token and layer are missing and marked absent (${firstMissing}); replay leaves out tokens that lack a layer`,
    );
  if (short > 0)
    notes.push(
      `${short} of ${grid - missing} rows have fewer than ${topK} experts, the first in line ${firstShort?.line} of ${fileName(firstShort?.file ?? "")}: ` +
        "the rest are choices without an expert",
    );
  if (sorted > 0) notes.push(`experts of ${sorted} rows were put in the order of their weights`);
  if (!looksForWarmUp) notes.push("too many requests to look for warm-up rows");
  return notes;
}
