import type { LayerCache } from "../memory/layer-cache.ts";

/** Entries of the newest tokens only. */
interface WindowAmount {
  /** Tokens that the next one still sees. */
  readonly keptTokens: number;
  bytesPerToken: number;
}

/** Bytes of caches as a function of the prompt tokens that are in them. */
export class KvAmount {
  private bytesPerToken = 0;
  private stateBytes = 0;
  private readonly windows: WindowAmount[] = [];

  /** Adds `share` of a cache. */
  add(cache: LayerCache, share: number): void {
    switch (cache.kind) {
      case "full":
        this.bytesPerToken += share * cache.bytesPerToken;
        break;
      case "window":
        this.window(cache.windowTokens - 1).bytesPerToken += share * cache.bytesPerToken;
        break;
      case "state":
        this.stateBytes += share * cache.bytes;
        break;
    }
  }

  private window(keptTokens: number): WindowAmount {
    const known = this.windows.find((window) => window.keptTokens === keptTokens);
    if (known !== undefined) return known;
    const window: WindowAmount = { keptTokens, bytesPerToken: 0 };
    this.windows.push(window);
    return window;
  }

  /**
   * Bytes for the first `tokens` tokens of a prompt. Entries of the first `shared` tokens in full caches are left out: the
   * receiver has them of another prompt. Windows and states belong to one request.
   */
  bytes(tokens: number, shared = 0): number {
    if (tokens <= 0) return 0;
    let sum = this.stateBytes + this.bytesPerToken * Math.max(0, tokens - shared);
    for (let i = 0; i < this.windows.length; i++) {
      const { keptTokens, bytesPerToken } = this.windows[i]!;
      sum += bytesPerToken * Math.min(tokens, keptTokens);
    }
    return sum;
  }
}
