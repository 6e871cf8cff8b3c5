/** The experts that one token chose in one layer. */
export interface TableCell {
  readonly file: string;
  /** Number of the file among those that are read. */
  readonly fileIndex: number;
  readonly line: number;
  readonly layer: number;
  readonly token: number;
  readonly request: string | null;
  readonly domain: string | null;
  readonly step: number | null;
  readonly position: number | null;
  readonly phase: number | null;
  readonly tokenId: number | null;
  readonly ids: number[];
  readonly weights: number[] | null;
}

/** A cell as its row has it, before rows with one expert each are joined and tokens numbered. */
export interface CellPart extends Omit<TableCell, "token"> {
  readonly token: number | null;
  /** What the parts of one token and layer have in common where no column numbers tokens. */
  readonly occurrence: string;
  /** One expert of a row of its own. */
  readonly single: boolean;
}
