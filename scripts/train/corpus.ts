import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** The texts of one domain: the last twentieth is held out. */
export interface DomainText {
  readonly name: string;
  readonly training: string;
  readonly heldOut: string;
}

const heldOutShare = 0.05;

/** Reads `<domain>.txt` and `<domain>.txt.gz` of a folder, in order of their names. */
export async function readDomains(folder: string): Promise<DomainText[]> {
  const names = (await readdir(folder)).filter((name) => /\.txt(\.gz)?$/.test(name)).sort();
  if (names.length === 0) throw new Error(`${folder}: expected files <domain>.txt or <domain>.txt.gz`);
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(folder, name));
      const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
      // Held out from a line break on, so that no word is cut.
      const cut = text.indexOf("\n", Math.floor(text.length * (1 - heldOutShare))) + 1;
      return { name: name.replace(/\.txt(\.gz)?$/, ""), training: text.slice(0, cut), heldOut: text.slice(cut) };
    }),
  );
}
