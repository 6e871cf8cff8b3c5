import { refuse } from "../core/errors.ts";
import { type GgufHeader, readGgufHeader } from "../files/gguf-header.ts";
import { readRange } from "../files/read-input.ts";
import { resolveGguf } from "../models/gguf/resolve-gguf.ts";
import type { Resolution } from "../models/resolve.ts";

const partOf = /-(\d{5})-of-(\d{5})\.gguf$/i;
const partsMax = 1000;

/** The files of a model that is split into parts, of which `path` names one; a whole file is alone. */
function partsAt(path: string): readonly string[] {
  const found = partOf.exec(path);
  if (found === null) return [path];
  const [ending, , total = ""] = found;
  const count = Number(total);
  if (count < 1 || count > partsMax) refuse({ file: path, expected: `at most ${partsMax} parts`, found: count });
  const stem = path.slice(0, -ending.length);
  return Array.from({ length: count }, (_, index) => `${stem}-${String(index + 1).padStart(5, "0")}-of-${total}.gguf`);
}

/** The model of a GGUF file, or of all parts of one, from their headers. */
export async function readGguf(
  path: string,
): Promise<Resolution & { readonly files: readonly { readonly file: string; readonly text: string }[] }> {
  const parts = partsAt(path);
  const headers: GgufHeader[] = [];
  for (const part of parts) headers.push(await readGgufHeader(part, readRange));
  const [first] = headers;
  const [file = path] = parts;
  const stated = first?.metadata.get("split.count") ?? 1;
  if (stated !== parts.length)
    refuse({ file, at: "split.count", expected: `${parts.length}, the parts in its name`, found: String(stated) });
  const tensors = headers.flatMap((header) => header.tensors);
  const listed = first?.metadata.get("split.tensors.count");
  if (listed !== undefined && listed !== tensors.length)
    refuse({
      file,
      at: "split.tensors.count",
      expected: `${tensors.length}, the tensors of all parts`,
      found: String(listed),
    });
  const metadata = first?.metadata ?? new Map();
  // What the tensors lie in is not read, so its digest is not that of the file.
  const text = JSON.stringify({ metadata: [...metadata], tensors });
  return { ...resolveGguf({ file, metadata, tensors }), files: [{ file, text }] };
}
