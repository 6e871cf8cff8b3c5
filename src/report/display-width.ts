/** Cells of a terminal that a line takes: two for East Asian wide characters and emoji, none for combining marks. */
export function displayWidth(line: string): number {
  let cells = 0;
  for (const char of line) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x300) cells += 1;
    else if (!/\p{Mn}|\p{Me}|\p{Cf}/u.test(char)) cells += isWide(code) ? 2 : 1;
  }
  return cells;
}

const wideRanges = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
] as const;

const isWide = (code: number) => wideRanges.some(([from, to]) => code >= from && code <= to);
