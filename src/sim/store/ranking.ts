/** In which order the experts of a store would leave it. Only those that the store may evict do. */
export interface Ranking {
  /** An expert has entered. */
  enter(key: number): void;
  /** An expert that is there is used. */
  use(key: number): void;
  /** An expert has left. */
  leave(key: number): void;
  /** The expert that goes first; -1 when there is none. */
  first(): number;
  /** The one that goes after `key`; -1 after the last. */
  after(key: number): number;
}
