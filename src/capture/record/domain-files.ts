import { basename } from "node:path";

/** A file of text or token ids, and the domain of its documents. */
export interface DomainFile {
  readonly domain: string;
  readonly path: string;
}

/** `NAME=PATH`, or a path whose base name without endings is the domain: `data/math.jsonl.gz` is `math`. */
export function domainFile(word: string): DomainFile {
  const at = word.indexOf("=");
  if (at > 0) return { domain: word.slice(0, at), path: word.slice(at + 1) };
  const base = basename(word);
  const name = base.replace(/\.gz$/, "").replace(/\.[^.]*$/, "");
  return { domain: name === "" ? base : name, path: word };
}
