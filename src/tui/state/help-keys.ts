/** What the help shows: the lines with a text, from one of them on. */
export interface HelpState {
  readonly filter: string;
  readonly from: number;
}

const pageLines = 10;

/** The help after a key: letters filter, arrows scroll. null: it is closed. */
export function helpAfter({ filter, from }: HelpState, key: string): HelpState | null {
  if (key === "escape" || (key === "?" && filter === "")) return null;
  const move = { down: 1, up: -1, pagedown: pageLines, pageup: -pageLines }[key];
  if (move !== undefined) return { filter, from: Math.max(0, from + move) };
  if (key === "backspace" || key === "delete") return { filter: [...filter].slice(0, -1).join(""), from: 0 };
  if (key === "space") return { filter: `${filter} `, from: 0 };
  return [...key].length === 1 ? { filter: filter + key, from: 0 } : { filter, from };
}
