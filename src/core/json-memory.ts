import { refuse } from "./errors.ts";
import { formatBytes } from "./units.ts";

/** Bytes that the parts of a parsed document take at most, measured with V8: a container, a key, and what a comma parts. */
const containerBytes = 100;
const keyBytes = 240;
const itemBytes = 32;

/** Where nobody says how much there may be. */
const memoryDefault = 256 * 1024 * 1024;
/** Shorter texts cannot take so much. */
const charactersFree = 1024 * 1024;

/** Refuses JSON that would take more than so many bytes once it is parsed, 256 MiB by default, by one pass over its text. */
export function checkJsonMemory(text: string, file: string, line?: number, memoryMax = memoryDefault): void {
  if (text.length <= charactersFree) return;
  const bytes = jsonMemory(text);
  if (bytes <= memoryMax) return;
  refuse({
    file,
    ...(line === undefined ? {} : { line }),
    expected: `JSON that takes at most ${formatBytes(memoryMax)} of memory, found about ${formatBytes(bytes)}`,
  });
}

function jsonMemory(text: string): number {
  let bytes = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x2c) bytes += itemBytes;
    else if (code === 0x3a) bytes += keyBytes;
    else if (code === 0x7b || code === 0x5b) bytes += containerBytes;
  }
  return bytes;
}
