import { createHash, type Hash } from "node:crypto";

/** SHA-256 of bytes or of a string's UTF-8, as lower-case hex. */
export function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** SHA-256 of data that arrives in pieces. */
export class Sha256 {
  private readonly hash: Hash = createHash("sha256");

  update(bytes: Uint8Array): void {
    this.hash.update(bytes);
  }

  /** The digest of everything so far; more may follow. */
  hex(): string {
    return this.hash.copy().digest("hex");
  }
}
