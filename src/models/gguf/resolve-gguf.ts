import { type StorageFormat, storageFormats } from "../../core/dtype.ts";
import { InvalidInputError, refuse } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { formatNumber } from "../../core/units.ts";
import { valueCounts } from "../parameters.ts";
import { type Resolution, resolveConfig } from "../resolve.ts";
import { type ModelSpec, type TensorClass, tensorClasses, type WeightStorage } from "../spec.ts";
import { architectures } from "./architectures.ts";
import { Metadata } from "./metadata.ts";
import { type ListedTensor, type StoredClass, storedClasses } from "./tensors.ts";

/** Metadata and tensors of a model, all files of it together. */
interface GgufModel {
  readonly file: string;
  readonly metadata: ReadonlyMap<string, number | string | boolean | readonly number[]>;
  readonly tensors: readonly ListedTensor[];
}

/**
 * The model of a GGUF file: shapes from its metadata, by the architecture's model class; bytes from the types of its
 * tensors. Throws InvalidInputError where the two do not agree to the last weight.
 */
export function resolveGguf({ file, metadata, tensors }: GgufModel): Resolution {
  const meta = new Metadata(file, metadata);
  const architecture = own(architectures, meta.architecture);
  if (architecture === undefined)
    refuse({
      file,
      at: "general.architecture",
      expected: `one of ${Object.keys(architectures).join(", ")}`,
      found: meta.architecture === "" ? undefined : meta.architecture,
      hint: "name the config.json of the model itself, and its formats as model.dtypes of a scenario",
    });
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const furtherTokens = meta.optional("nextn_predict_layers") ?? 0;
  const vocabulary = byName.get("token_embd.weight")?.shape[1];
  if (vocabulary === undefined) meta.problem("token_embd.weight", "the embedding of the vocabulary");
  const config = meta.config({
    ...architecture(meta, byName),
    hidden_size: [meta.count("embedding_length"), "embedding_length"],
    num_hidden_layers: [meta.count("block_count") - furtherTokens, "block_count"],
    num_nextn_predict_layers: [furtherTokens, "nextn_predict_layers"],
    max_position_embeddings: [meta.count("context_length"), "context_length"],
    vocab_size: [vocabulary ?? 1, "token_embd.weight"],
    tie_word_embeddings: [!byName.has("output.weight"), "output.weight"],
    dtype: ["bfloat16", "general.file_type"],
  });
  meta.optional("vocab_size");
  const ignored = meta.unread();
  if (meta.problems.length > 0) throw new InvalidInputError(meta.problems);
  const { spec, assumptions } = resolveConfig(config, { file });
  const { classes, problems } = storedClasses(tensors, spec.layers.length, file);
  if (problems.length > 0) throw new InvalidInputError(problems);
  agree(spec, classes, file);
  const { storage, mixtures } = storageOf(spec, classes);
  const provenance = Object.fromEntries(
    Object.entries(spec.provenance).map(([path, { key, value }]) => {
      if (path.startsWith("formats."))
        return [path, { key: "types of tensors", value: storage.formats[path.slice(8) as TensorClass] }];
      return [
        path,
        {
          key: path === "kvFormat" ? "default of llama.cpp" : (meta.sources.get(key) ?? key),
          value: path === "kvFormat" ? "fp16" : value,
        },
      ];
    }),
  );
  return {
    spec: { ...spec, ...storage, kvFormat: "fp16", provenance },
    ignored,
    assumptions: [...assumptions, ...mixtures, "quantised tensors of a GGUF file are computed with 16-bit activations"],
  };
}

/** Refuses metadata whose shape has other weights than the tensors. */
function agree(spec: ModelSpec, classes: ReadonlyMap<TensorClass, StoredClass>, file: string): void {
  const counts = valueCounts(spec, "all");
  const vectors = tensorClasses.reduce((sum, name) => sum + counts[name].vectors, 0);
  const problems = tensorClasses.flatMap((name) => {
    const expected = name === "norm" ? vectors : counts[name].matrices;
    const found = classes.get(name)?.values ?? 0;
    const what = name === "norm" ? "norms and biases" : `${name} weights`;
    return found === expected
      ? []
      : [{ file, at: "tensors", expected: `${expected} ${what}, as its metadata says`, found }];
  });
  if (problems.length > 0) throw new InvalidInputError(problems);
}

function storageOf(
  spec: ModelSpec,
  classes: ReadonlyMap<TensorClass, StoredClass>,
): { readonly storage: WeightStorage; readonly mixtures: readonly string[] } {
  const formats: Record<TensorClass, StorageFormat> = { ...spec.formats };
  const weightBits: Partial<Record<TensorClass, number>> = {};
  const mixtures: string[] = [];
  for (const [name, { values, bytes, byFormat }] of classes) {
    const [most] = [...byFormat].sort((a, b) => b[1] - a[1]);
    if (most === undefined) continue;
    formats[name] = most[0];
    const bits = (8 * bytes) / values;
    if (name !== "norm" && bits !== storageFormats[most[0]].bitsPerValue) weightBits[name] = bits;
    if (byFormat.size > 1 && name !== "norm")
      mixtures.push(
        `${name} weights are stored in several formats, of ${formatNumber(bits, 4)} bits together: their bytes are shared evenly, all compute as ${most[0]}`,
      );
  }
  return { storage: { formats, weightBits }, mixtures };
}
