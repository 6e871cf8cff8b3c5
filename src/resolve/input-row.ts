import { basename } from "node:path";
import { sha256 } from "../core/digest.ts";
import type { Forecast } from "../forecast/forecast.ts";

/** An input of a forecast by the bytes it had; named without its folder, so that results do not depend on where it lay. */
export function inputRow(role: string, file: string, content: string): Forecast["inputs"][number] {
  return { role, name: basename(file), sha256: sha256(content) };
}
