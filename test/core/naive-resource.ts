/** A piece of work: a demand, or background work that may become one. */
interface Piece {
  readonly background: boolean;
  readonly priority: number;
  chunks: number;
  readonly chunkNs: number;
  readonly chunkBytes: number;
  /** Whole work of a demand, once it is one. */
  demandNs: number;
  demandBytes: number;
  /** When its last chunk or all of it is done. */
  doneNs: number;
  dropped: boolean;
}

/**
 * A resource served nanosecond by nanosecond, times being whole: at each one the server goes on with what it has, or
 * picks the oldest demand, or looks through all background work for a chunk. Ends are only known when they come.
 */
export class NaiveResource {
  demandBusyNs = 0;
  backgroundBusyNs = 0;
  bytes = 0;
  demandWaitNs = 0;
  backgroundWaitNs = 0;
  demands = 0;
  chunks = 0;
  readonly pieces: Piece[] = [];
  private nowNs = 0;
  private readonly line: Piece[] = [];
  private current: { readonly piece: Piece; readonly chunk: boolean; leftNs: number } | null = null;

  /** Serves up to `atNs`; what could begin then does not yet. */
  advance(atNs: number): void {
    for (; this.nowNs < atNs; this.nowNs++) {
      while (this.current === null && this.pick());
      for (const waiting of this.line) {
        if (this.current!.chunk && this.current!.piece !== waiting) this.backgroundWaitNs++;
        if (!this.current!.chunk) this.demandWaitNs++;
      }
      if (this.current !== null && --this.current.leftNs === 0) this.finish(this.nowNs + 1);
    }
  }

  demand(atNs: number, ns: number, bytes: number): Piece {
    this.advance(atNs);
    const piece = { ...nothing, demandNs: ns, demandBytes: bytes };
    this.pieces.push(piece);
    this.enter(piece);
    return piece;
  }

  submit(atNs: number, chunks: number, chunkNs: number, chunkBytes: number, priority: number): Piece {
    this.advance(atNs);
    const piece = { ...nothing, background: true, chunks, chunkNs, chunkBytes, priority };
    this.pieces.push(piece);
    return piece;
  }

  raise(atNs: number, piece: Piece): void {
    this.advance(atNs);
    if (piece.chunks === 0) return;
    piece.demandNs = piece.chunks * piece.chunkNs;
    piece.demandBytes = piece.chunks * piece.chunkBytes;
    piece.chunks = 0;
    piece.doneNs = Infinity;
    this.enter(piece);
  }

  cancel(atNs: number, piece: Piece): number {
    this.advance(atNs);
    const { chunks } = piece;
    piece.chunks = 0;
    piece.dropped = true;
    return chunks;
  }

  private enter(piece: Piece): void {
    this.line.push(piece);
    this.demands++;
    this.demandBusyNs += piece.demandNs;
    this.bytes += piece.demandBytes;
  }

  /** Begins something; false when there is nothing to begin. */
  private pick(): boolean {
    const demand = this.line.shift();
    if (demand !== undefined) {
      this.current = { piece: demand, chunk: false, leftNs: demand.demandNs };
    } else {
      const waiting = this.pieces.filter(({ chunks }) => chunks > 0).sort((a, b) => a.priority - b.priority);
      const [piece] = waiting;
      if (piece === undefined) return false;
      piece.chunks--;
      this.chunks++;
      this.backgroundBusyNs += piece.chunkNs;
      this.bytes += piece.chunkBytes;
      this.current = { piece, chunk: true, leftNs: piece.chunkNs };
    }
    if (this.current.leftNs === 0) this.finish(this.nowNs);
    return true;
  }

  private finish(atNs: number): void {
    const { piece, chunk } = this.current!;
    // The end of a chunk is not that of a piece which has become a demand meanwhile.
    if (!chunk || (piece.chunks === 0 && !this.line.includes(piece))) piece.doneNs = atNs;
    this.current = null;
  }
}

const nothing: Piece = {
  background: false,
  priority: 0,
  chunks: 0,
  chunkNs: 0,
  chunkBytes: 0,
  demandNs: 0,
  demandBytes: 0,
  doneNs: Infinity,
  dropped: false,
};
