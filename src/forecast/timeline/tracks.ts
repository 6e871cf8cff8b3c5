/** A row of a timeline: its spans lie beside or inside one another. */
export interface Track {
  /** Index of the process that it belongs to. */
  readonly process: number;
  readonly name: string;
}

/** Processes and tracks of a timeline, in the order in which they are shown. */
export class Tracks {
  readonly processes: string[] = [];
  readonly list: Track[] = [];

  /** Returns the index of a new process. */
  process(name: string): number {
    return this.processes.push(name) - 1;
  }

  /** Returns the index of a new track. */
  add(process: number, name: string): number {
    return this.list.push({ process, name }) - 1;
  }
}
