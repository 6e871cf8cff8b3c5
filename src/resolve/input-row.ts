import { basename } from "node:path";
import { sha256 } from "../core/digest.ts";

/** An input of a forecast by the bytes it had. */
export interface InputRow {
  readonly role: string;
  readonly name: string;
  readonly sha256: string;
}

/** The row of a file, named without its folder: results do not depend on where it lay. */
export function inputRow(role: string, file: string, content: string): InputRow {
  return { role, name: basename(file), sha256: sha256(content) };
}
