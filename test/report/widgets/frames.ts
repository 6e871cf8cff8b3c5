import { makePalette, type Palette, plainPalette } from "../../../src/report/widgets/palette.ts";

/** The two palettes of golden frames, which mark nothing: what they show can be read. */
export const ascii: Palette = plainPalette;
export const unicode: Palette = makePalette({ depth: "none", unicode: true, marks: false });

/** Lines as one text between line feeds, without the spaces at their ends. */
export const frame = (lines: readonly string[]): string => `\n${lines.map((line) => line.trimEnd()).join("\n")}\n`;
