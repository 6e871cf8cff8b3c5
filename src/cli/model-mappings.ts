import { InfeasibleError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { formatCount } from "../core/units.ts";
import { engineIdOn, engineNamed } from "../engine/catalogue.ts";
import { nodeNamed } from "../hardware/named-profiles.ts";
import { mappingTable } from "../report/mapping-table.ts";
import { listMappings } from "../resolve/list-mappings.ts";
import { processIo } from "./io.ts";
import { readSource } from "./model.ts";

export interface MappingOptions {
  readonly devices: number;
  readonly system: string;
  readonly engine: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** Prints the mappings of a model over devices. Exit code 4 where there is none. */
export async function printMappings(source: string, options: MappingOptions, colour: boolean): Promise<void> {
  const io = processIo(colour);
  const { spec: model } = await readSource(source, io);
  const node = nodeNamed(options.system);
  const engine = engineNamed(engineIdOn(node.device.platform, options.engine));
  const { devices, limit } = options;
  const { all, listed } = listMappings({ model, node, engine, devices }, limit);
  if (all === 0)
    throw new InfeasibleError(
      `${model.name} cannot be spread over exactly ${devices} devices of ${options.system}: no degrees divide its heads, layers and experts so, or no link joins so many`,
    );
  if (options.json === true) {
    io.out(
      jsonDocument({ model: model.id, system: options.system, engine: engine.id, devices, mappings: all, listed }),
    );
    return;
  }
  const more = all > listed.length ? `, of which the first ${formatCount(listed.length)} are listed (--limit)` : "";
  io.out(
    [
      `${model.name} over ${devices} devices of ${options.system} under ${engine.name} ${engine.version}: ${formatCount(all)} mappings${more}`,
      "",
      ...mappingTable(listed, io.width),
      "",
    ].join("\n"),
  );
}
