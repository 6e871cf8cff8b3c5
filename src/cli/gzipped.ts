import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** A text in UTF-8, gzipped. It names neither a time nor an operating system. */
export async function gzipped(text: string): Promise<Uint8Array> {
  const bytes = await promisify(gzip)(text, { level: 6 });
  // Unknown system: otherwise the byte is that of the machine.
  bytes[9] = 255;
  return bytes;
}
