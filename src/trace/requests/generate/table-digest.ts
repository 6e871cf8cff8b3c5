import { Sha256 } from "../../../core/digest.ts";

/** Digest of a drawn table: sha256 of its columns. */
export function digestOf(columns: readonly ArrayBufferView[]): string {
  const hash = new Sha256();
  for (const { buffer, byteOffset, byteLength } of columns)
    hash.update(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  return hash.hex();
}
