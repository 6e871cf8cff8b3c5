/** One figure: what the reference says and what came out. */
export interface CheckLine {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

/** Right where both are written alike. */
export function checkLine(name: string, expected: string | number, found: string | number): CheckLine {
  return { name, expected: String(expected), found: String(found), ok: String(expected) === String(found) };
}
