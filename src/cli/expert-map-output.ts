import { UsageError } from "../core/errors.ts";
import { oneLine } from "../core/printable.ts";
import type { ExpertMap, ExpertMapFormat, MapContext } from "../engine/expert-maps/expert-map.ts";
import {
  type ExpertMapFormatName,
  expertMapFormatNames,
  expertMapFormats,
} from "../engine/expert-maps/expert-map-formats.ts";
import { type OutputNeeds, prepareOutput } from "../files/prepare-output.ts";
import type { Io } from "./io.ts";
import { oneOf } from "./words.ts";

/** Where a map is to be written: its file, and its format as `option` gave it. */
export interface MapOutput extends OutputNeeds {
  readonly file: string;
  readonly format: string;
  readonly option: string;
}

/** The format of an output, once it is known that it can be written and that the engine takes a file of its name. */
export async function mapOutputFormat({
  file,
  format,
  option,
  mkdir = false,
}: MapOutput): Promise<ExpertMapFormatName> {
  const name = oneOf(format, expertMapFormatNames, option);
  const { suffix = "", taken }: ExpertMapFormat = expertMapFormats[name];
  if (!file.endsWith(suffix))
    throw new UsageError(`-o: expected a name that ends in ${suffix}, as ${taken} wants it, found ${file}`);
  await prepareOutput(file, { mkdir });
  return name;
}

/** Writes a map into the file of its context. Returns what it is, `from` says whose, and what tells the engine to use it. */
export async function writeMap(
  io: Io,
  map: ExpertMap,
  context: MapContext,
  format: ExpertMapFormatName,
  from: string,
): Promise<string> {
  const { write, apply } = expertMapFormats[format];
  const { file } = context;
  await io.writeText(file, write(map, context));
  const ranked = { ...map, ranks: map.ranks ?? context.ranks };
  return `${oneLine(file)}: ${oneLine(from)} as ${format}\n  ${oneLine(apply(ranked, file))}\n`;
}
