import type { Palette } from "./palette.ts";

/** Cells of a plot with dots in them: two wide and four high in a cell of braille, else one. */
export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  /** Dots in a cell, across and down. */
  readonly across: number;
  readonly down: number;
  /** Bits of the dots of each cell, row by row. */
  readonly dots: Uint8Array;
  /** The series drawn last in each cell, counted from 1; 0 is none. */
  readonly owner: Uint8Array;
}

export function makeCanvas(columns: number, rows: number, braille: boolean): Canvas {
  const cells = columns * rows;
  const [across, down] = braille ? [2, 4] : [1, 1];
  return { columns, rows, across, down, dots: new Uint8Array(cells), owner: new Uint8Array(cells) };
}

/** Bits of a braille cell: its dots 1 to 3 and 7 at the left, 4 to 6 and 8 at the right. */
const bits = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80] as const;

/** Sets a dot, counted from the upper left. */
export function setDot({ columns, across, down, dots, owner }: Canvas, x: number, y: number, series: number): void {
  const column = Math.floor(x / across);
  const row = Math.floor(y / down);
  const cell = row * columns + column;
  dots[cell]! |= bits[(y - row * down) * 2 + (x - column * across)]!;
  owner[cell] = 1 + (series % 255);
}

/** A straight line of dots between two dots that lie in the canvas. */
export function drawLine(
  canvas: Canvas,
  from: readonly [number, number],
  to: readonly [number, number],
  series: number,
): void {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const steps = Math.max(Math.abs(dx), Math.abs(dy), 1);
  for (let i = 0; i <= steps; i += 1)
    setDot(canvas, Math.round(from[0] + (dx * i) / steps), Math.round(from[1] + (dy * i) / steps), series);
}

/**
 * One row of cells: neighbours of one colour share a mark. `over` has signs by cell that stand instead of dots, `under`
 * has texts by column that stand where there are no dots.
 */
export function canvasRow(
  canvas: Canvas,
  row: number,
  signs: readonly string[],
  palette: Palette,
  over: ReadonlyMap<number, string>,
  under: readonly (string | undefined)[],
): string {
  let line = "";
  let run = "";
  let colour = 0;
  const flush = () => {
    line += colour > 0 ? palette.series(colour - 1, run) : colour < 0 ? palette.bad(run) : run;
    run = "";
  };
  for (let column = 0; column < canvas.columns; column += 1) {
    const cell = row * canvas.columns + column;
    const owner = canvas.owner[cell]!;
    const below = under[column];
    const next = owner > 0 ? owner : below === undefined ? 0 : -1;
    if (next !== colour) flush();
    colour = next;
    if (owner === 0) run += below ?? " ";
    else if (over.has(cell)) run += over.get(cell) ?? "";
    else
      run += canvas.across === 2 ? String.fromCharCode(0x2800 + canvas.dots[cell]!) : signs[(owner - 1) % signs.length];
  }
  flush();
  return line;
}
