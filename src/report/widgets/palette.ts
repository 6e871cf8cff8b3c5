import type { TextStyle } from "../text-table.ts";

/** Colours that a terminal shows: none, its own sixteen, the cube of 256, or any. */
export const colourDepths = ["none", "16", "256", "true"] as const;
export type ColourDepth = (typeof colourDepths)[number];

/** Signs that stand for parts of a cell; ASCII ones where a terminal may have no others. */
export interface Glyphs {
  /** From empty to full, by height. */
  readonly heights: readonly string[];
  /** From empty to full, by width. */
  readonly widths: readonly string[];
  /** Whether plots set dots of braille cells, two wide and four high; else one sign a cell. */
  readonly braille: boolean;
  readonly horizontal: string;
  readonly vertical: string;
  readonly ellipsis: string;
  /** Of a selected row. */
  readonly pointer: string;
  readonly mark: string;
  readonly up: string;
  readonly down: string;
  readonly good: string;
  readonly bad: string;
  readonly warn: string;
}

/** How widgets and screens mark up text. Every mark ends where it began: no text changes what follows it. */
export interface Palette extends TextStyle {
  readonly depth: ColourDepth;
  readonly glyphs: Glyphs;
  /** Titles and what has the focus. */
  readonly accent: (text: string) => string;
  /** A selected row. */
  readonly inverse: (text: string) => string;
  /** One of several lines of a plot, from 0 on. */
  readonly series: (index: number, text: string) => string;
  /** Text on the colour of a share of 0 to 1, dark to bright. Without colours the text alone. */
  readonly heat: (share: number, text: string) => string;
}

const blocks: Glyphs = {
  heights: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
  widths: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
  braille: true,
  horizontal: "─",
  vertical: "│",
  ellipsis: "…",
  pointer: "›",
  mark: "●",
  up: "▲",
  down: "▼",
  good: "✓",
  bad: "✗",
  warn: "!",
};

const ascii: Glyphs = {
  heights: [" ", ".", ":", "-", "=", "+", "*", "#", "@"],
  widths: [" ", "-", "-", "-", "=", "=", "=", "=", "#"],
  braille: false,
  horizontal: "-",
  vertical: "|",
  ellipsis: "~",
  pointer: ">",
  mark: "*",
  up: "^",
  down: "v",
  good: "+",
  bad: "x",
  warn: "!",
};

/** A text between two SGR codes. What ends the same mark inside begins it again, so that marks may be nested. */
function sgr(open: string, close: string): (text: string) => string {
  const [begin, end] = [`\u001b[${open}m`, `\u001b[${close}m`];
  return (text) => (text === "" ? "" : begin + (text.includes(end) ? text.replaceAll(end, end + begin) : text) + end);
}

const unchanged = (text: string) => text;

/** Points of the viridis map (van der Walt and Smith, 2015), readable with every kind of colour blindness. */
const viridis: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];

/** Steps of a ramp: more would make every cell a colour of its own, and a row many times as long. */
const rampSteps = 16;

const at = (share: number): readonly [number, number, number] => {
  const place = share * (viridis.length - 1);
  const below = Math.min(viridis.length - 2, Math.floor(place));
  const [from, to] = [viridis[below]!, viridis[below + 1]!];
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * (place - below));
  return [mix(0), mix(1), mix(2)];
};

/** The nearest colour of the cube of 256: 16 + 36 r + 6 g + b with components of 0 to 5. */
function cube([red, green, blue]: readonly [number, number, number]): number {
  const level = (value: number) => (value < 48 ? 0 : value < 115 ? 1 : Math.round((value - 35) / 40));
  return 16 + 36 * level(red) + 6 * level(green) + level(blue);
}

/** Backgrounds of the sixteen colours, dark to bright. */
const sixteen = [44, 46, 42, 43, 103, 107];

/** SGR code of the colour of a step, with dark text on the bright half. */
function heatCodes(depth: ColourDepth): string[] {
  if (depth === "none") return [];
  return Array.from({ length: rampSteps }, (_, step) => {
    const share = step / (rampSteps - 1);
    if (depth === "16")
      return `${share * sixteen.length >= 1 ? 30 : 97};${sixteen[Math.floor(share * (sixteen.length - 1e-9))]}`;
    const colour = at(share);
    const ground = depth === "true" ? `48;2;${colour.join(";")}` : `48;5;${cube(colour)}`;
    const ink = share > 0.55 ? 16 : 231;
    return `38;5;${ink};${ground}`;
  });
}

/** Lines of plots: the colours of Okabe and Ito (2008) in the cube, told apart with every kind of colour blindness. */
const seriesCodes: Readonly<Record<ColourDepth, readonly string[]>> = {
  none: [],
  "16": ["34", "33", "35", "36"],
  "256": ["38;5;32", "38;5;172", "38;5;36", "38;5;168"],
  true: ["38;2;0;114;178", "38;2;230;159;0", "38;2;0;158;115", "38;2;204;121;167"],
};

/** The palette of a terminal. Without colours bold, dim and inverse stay where `marks` allows them. */
export function makePalette(options: {
  readonly depth: ColourDepth;
  readonly unicode: boolean;
  /** Whether text may be marked up at all; false for dumb terminals. */
  readonly marks?: boolean;
}): Palette {
  const { depth, unicode, marks = true } = options;
  const mark = (open: string, close: string) => (marks ? sgr(open, close) : unchanged);
  const colour = (open: string) => (depth === "none" || !marks ? unchanged : sgr(open, "39"));
  const heats = marks ? heatCodes(depth).map((code) => sgr(code, "39;49")) : [];
  const lines = marks ? seriesCodes[depth].map((code) => sgr(code, "39")) : [];
  const bold = mark("1", "22");
  return {
    depth: marks ? depth : "none",
    glyphs: unicode ? blocks : ascii,
    bold,
    dim: mark("2", "22"),
    good: colour("32"),
    bad: colour("31"),
    warn: colour("33"),
    accent: depth === "none" ? bold : colour("36"),
    inverse: mark("7", "27"),
    series: (index, text) => (lines.length === 0 ? text : lines[index % lines.length]!(text)),
    heat: (share, text) => {
      if (heats.length === 0) return text;
      const step = Number.isFinite(share) ? Math.round(Math.min(1, Math.max(0, share)) * (rampSteps - 1)) : 0;
      return heats[step]!(text);
    },
  };
}

/** A palette that marks nothing, with signs of ASCII alone. */
export const plainPalette: Palette = makePalette({ depth: "none", unicode: false, marks: false });
