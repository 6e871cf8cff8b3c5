import type { PointPlot } from "./plot-text.ts";
import type { ScatterPlot } from "./scatter.ts";
import type { Align } from "./text-table.ts";

/** What pages are rendered for. A part that names one is shown there only. */
export type Medium = "terminal" | "markdown";

/** How something came out, as a colour. */
export type Tone = "good" | "warn" | "bad";

/** A line of text. */
export interface PageLine {
  readonly text: string;
  readonly tone?: Tone;
  readonly strong?: boolean;
  /** Of less interest: dimmed on a terminal. */
  readonly quiet?: boolean;
  readonly only?: Medium;
}

/** A note for one medium; none where there is nothing to say. */
export const noteFor = (only: Medium, text: string): PageLine[] => (text === "" ? [] : [{ text, quiet: true, only }]);

/** A column of a table. Narrow terminals drop the columns with the lowest `dispensable` first; others stay. */
export interface PageColumn {
  readonly header: string;
  /** Another header in Markdown, where the table has no title above it. */
  readonly headerAlone?: string;
  readonly align?: Align;
  readonly dispensable?: number;
  readonly only?: Medium;
}

/** A row of a table: its cells, or its cells and more about them. */
export type PageRow =
  | readonly string[]
  | { readonly cells: readonly string[]; readonly tone?: Tone; readonly only?: Medium };

interface Section {
  readonly title: string;
  /** What the section shows, in a few words beside its title; on a terminal below it where there is no room. */
  readonly note?: string;
  /** A sentence that a terminal begins beside the title and goes on with below. */
  readonly verdict?: string;
  readonly only?: Medium;
}

export interface PageTable extends Section {
  readonly kind: "table";
  readonly columns: readonly PageColumn[];
  readonly rows: readonly PageRow[];
  /** Of less interest: dimmed on a terminal, folded away in Markdown. */
  readonly quiet?: boolean;
  /** Folded away in Markdown. */
  readonly folded?: boolean;
  /** Where the first row names the columns, and where the title stands above; both if not given. */
  readonly headerOnly?: Medium;
  readonly titleOnly?: Medium;
  readonly before?: readonly PageLine[];
  readonly after?: readonly PageLine[];
  /** Most lines of a row on a terminal; where rows are cut, the line below the table says how to see all of them. */
  readonly cut?: { readonly linesMax: number; readonly hint: string };
}

/** Shares as bars. */
export interface PageBars extends Section {
  readonly kind: "bars";
  readonly bars: readonly { readonly name: string; readonly share: number; readonly beside?: string }[];
  readonly after?: readonly PageLine[];
}

/** How full something is, and with what. */
export interface PageLevels extends Section {
  readonly kind: "levels";
  readonly columns: readonly [what: string, item: string, amount: string];
  readonly levels: readonly {
    readonly name: string;
    readonly share: number;
    readonly text: string;
    readonly items: readonly (readonly [name: string, amount: string])[];
  }[];
  readonly after?: readonly PageLine[];
}

/** Text without a title of its own: the first line, then what belongs to it. */
export interface PageText {
  readonly kind: "text";
  readonly line: PageLine;
  readonly items?: readonly string[];
  readonly only?: Medium;
}

export interface PageScatter extends Section {
  readonly kind: "scatter";
  readonly plot: ScatterPlot;
}

export interface PagePlot extends Section {
  readonly kind: "plot";
  readonly plot: PointPlot;
}

/** One part of a page. */
export type PageSection = PageTable | PageBars | PageLevels | PageText | PageScatter | PagePlot;

/** A result made ready for people: every output format for them is a rendering of this. */
export interface Page {
  readonly title: string;
  /** What made it, in a few words beside the title. */
  readonly aside?: string;
  /** What was simulated or compared. */
  readonly subtitle: readonly PageLine[];
  /** How it came out, in parts that stay whole where a line can hold them. */
  readonly headline: readonly string[];
  readonly tone?: Tone;
  /** What a reader needs to know next. */
  readonly notes?: readonly PageLine[];
  readonly sections: readonly PageSection[];
}

/** Stands between the parts of a headline. */
export const headlineSeparator = " | ";

/** The parts that a medium shows. */
export const shownIn = <Part extends object>(parts: readonly Part[], medium: Medium): Part[] =>
  parts.filter((part) => !("only" in part) || part.only === undefined || part.only === medium);

/** The cells of a row. */
export const cellsOf = (row: PageRow): readonly string[] => ("cells" in row ? row.cells : row);
