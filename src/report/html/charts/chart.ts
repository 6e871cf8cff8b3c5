import type { Markup } from "../markup.ts";

/** A drawing with what is said of it and the numbers it shows. */
export interface Chart {
  readonly title: string;
  /** What is to be seen, in a sentence: for those who do not see it, and below the drawing. */
  readonly caption: string;
  /** The SVG element's content and its size in user units, which are pixels where the page is narrow. */
  readonly drawing: Markup;
  readonly width: number;
  readonly height: number;
  /** Colours and marks by name; none where the drawing names its parts. */
  readonly legend?: readonly LegendItem[];
  /** The numbers as a table: a header, and rows of cells. */
  readonly data: {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
    /** Whether the first rows say the most, so that the last ones may be left out. */
    readonly ranked?: boolean;
  };
}

export interface LegendItem {
  readonly name: string;
  /** Class of the colour, such as `s0`. */
  readonly colour: string;
  readonly dashed?: boolean;
}

/** Class of the colour of a series by its place. */
export const seriesClass = (place: number): string => `s${place % 7}`;

/** Coordinates have one decimal: a tenth of a pixel, and the same on every machine. */
export const coordinate = (value: number): number => Math.round(value * 10) / 10 + 0;
