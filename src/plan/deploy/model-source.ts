import type { StorageFormat } from "../../core/dtype.ts";
import { entryNamed } from "../../models/catalogue.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { PoolConfig } from "../../sim/config.ts";

/** Where the weights of a pool come from. */
export interface ModelSource {
  /** Repository on Hugging Face that MODEL is where nobody sets it; null where it has to be set. */
  readonly repository: string | null;
  /** The tokeniser of the requests; null where nobody knows it. */
  readonly tokenizer: string | null;
  /** What MODEL has to be, in words. */
  readonly what: string;
}

/**
 * The model of a pool. The release's own repository is taken where the scenario serves the release as it is; a model in other formats,
 * a file or a described shape has to be named.
 */
export function modelSource(
  { model: section }: Pick<Scenario, "model">,
  { model, formats }: Pick<PoolConfig, "model" | "formats">,
  gguf: boolean,
): ModelSource {
  const { id, file } = section;
  const entry = id === undefined ? undefined : entryNamed(id);
  // Models that share a shape with the entry have repositories of their own.
  const repository = entry !== undefined && entry.id === id ? (entry.repository ?? null) : null;
  const changed = Object.entries(section.dtypes ?? {}).filter(
    ([tensor, format]) =>
      format !== undefined && format !== (model.formats as Readonly<Record<string, StorageFormat>>)[tensor],
  );
  const told = gguf ? [["experts", formats.experts], ...changed.filter(([tensor]) => tensor !== "experts")] : changed;
  const inFormats = told.map(([tensor, format]) => `${tensor} ${format}`).join(", ");
  const bits =
    section.expertBits === undefined ? "" : `${inFormats === "" ? "" : ", "}experts in the widths of expertBits`;
  const what = [
    gguf ? "a GGUF file of" : "a repository or folder with",
    model.name,
    file === undefined ? "" : `(${file})`,
    inFormats + bits === "" ? "" : `with ${inFormats}${bits}`,
  ];
  const asReleased = !gguf && changed.length === 0 && section.expertBits === undefined;
  return {
    repository: asReleased ? repository : null,
    tokenizer: repository,
    what: what.filter((part) => part !== "").join(" "),
  };
}
